import { mkdtempSync, writeFileSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { startKafka, type KafkaServer } from '../kafka/start-kafka.ts';
import { machineOf } from '../measuring/machine.ts';
import { UsageError } from '../measuring/options.ts';
import type { BenchContext, BenchResult } from './bench.ts';
import { benches } from './benches.ts';
import { parseOptions, type Options } from './options.ts';
import { table } from './report.ts';
import { createStops } from './stops.ts';

const RESULTS = path.join(import.meta.dirname, 'results.json');

/**
 * Runs every bench that was chosen; one that fails costs the others nothing, and a signal ends what runs. Returns whether all gave
 * their figures.
 */
async function runBenches({ ids, runs, events, ledgers, jsonFile }: Options): Promise<boolean> {
  const ofAll = createStops();
  const ofOne = createStops();
  const stopped = new AbortController();
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
    process.once(signal, () => {
      stopped.abort();
      void ofOne
        .all()
        .then(() => ofAll.all())
        .then(() => process.exit(130));
    });
  }
  const home = mkdtempSync(path.join(tmpdir(), 'lanewatch-bench-'));
  ofAll.add(() => rm(home, { recursive: true, force: true }));
  let broker: Promise<KafkaServer> | undefined;
  let directories = 0;
  const context: BenchContext = {
    kafka() {
      if (broker === undefined) {
        const starting = startKafka({ heapMb: 1024 });
        ofAll.add(() =>
          starting.then(
            (kafka) => kafka.stop(),
            () => undefined,
          ),
        );
        broker = starting;
      }
      return broker;
    },
    runs,
    events,
    ledgers,
    temporaryDirectory: () => path.join(home, String(directories++)),
    log: (line) => process.stderr.write(`  ${line}\n`),
    atEnd: (stop) => {
      ofOne.add(stop);
    },
    stopped: stopped.signal,
  };
  const results: BenchResult[] = [];
  const failures: string[] = [];
  const machine = machineOf().line;
  for (const bench of benches.filter(({ id }) => ids.includes(id))) {
    process.stderr.write(`${bench.id}: ${bench.summary}\n`);
    try {
      results.push(...(await bench.run(context)));
    } catch (error) {
      if (stopped.signal.aborted) break;
      failures.push(`${bench.id} has no figures: ${(error as Error).message}`);
      console.error(error);
    }
    await ofOne.all();
  }
  await ofAll.all();
  if (stopped.signal.aborted) process.exit(130);
  process.stdout.write(`${machine}\n\n${table(results)}\n`);
  // Figures of some of the benches must not take the place of everybody's, which are under version control.
  const file = jsonFile ?? (failures.length === 0 && ids.length === benches.length ? RESULTS : null);
  if (file !== null) writeFileSync(file, `${JSON.stringify({ machine, runs, events, results }, null, 2)}\n`);
  for (const failure of failures) console.error(failure);
  return failures.length === 0;
}

async function main(): Promise<number> {
  const ids = benches.map(({ id }) => id);
  const options = parseOptions(process.argv.slice(2), ids);
  if (options.list) for (const { id, summary } of benches) process.stdout.write(`${id.padEnd(5)} ${summary}\n`);
  else return (await runBenches(options)) ? 0 : 1;
  return 0;
}

// An explicit exit: what a bench that failed has left open must not hold the others' figures back.
try {
  process.exit(await main());
} catch (error) {
  console.error(error instanceof UsageError ? error.message : error);
  process.exit(error instanceof UsageError ? 2 : 1);
}
