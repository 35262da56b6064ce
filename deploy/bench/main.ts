import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { startKafka, type KafkaServer } from '../kafka/start-kafka.ts';
import { machineOf } from '../measuring/machine.ts';
import { UsageError } from '../measuring/options.ts';
import type { BenchContext, BenchResult } from './bench.ts';
import { benches } from './benches.ts';
import { HELP, parseOptions, type Options } from './options.ts';
import { table } from './report.ts';

/** Runs every bench that was chosen; one that fails costs the others nothing. Returns whether all gave their figures. */
async function runBenches({ ids, runs, events, jsonFile }: Options): Promise<boolean> {
  const home = mkdtempSync(path.join(tmpdir(), 'lanewatch-bench-'));
  const brokers: Promise<KafkaServer>[] = [];
  let directories = 0;
  const context: BenchContext = {
    kafka() {
      if (brokers.length === 0) brokers.push(startKafka({ heapMb: 1024 }));
      return brokers[0]!;
    },
    runs,
    events,
    temporaryDirectory: () => path.join(home, String(directories++)),
    log: (line) => process.stderr.write(`  ${line}\n`),
  };
  const results: BenchResult[] = [];
  const failures: string[] = [];
  const machine = machineOf().line;
  try {
    for (const bench of benches.filter(({ id }) => ids.includes(id))) {
      process.stderr.write(`${bench.id}: ${bench.summary}\n`);
      try {
        results.push(...(await bench.run(context)));
      } catch (error) {
        failures.push(`${bench.id} has no figures: ${(error as Error).message}`);
        console.error(error);
      }
    }
  } finally {
    for (const broker of await Promise.allSettled(brokers)) {
      if (broker.status === 'fulfilled') await broker.value.stop();
    }
    rmSync(home, { recursive: true, force: true });
  }
  process.stdout.write(`${machine}\n\n${table(results)}\n`);
  writeFileSync(jsonFile, `${JSON.stringify({ machine, runs, events, results }, null, 2)}\n`);
  for (const failure of failures) console.error(failure);
  return failures.length === 0;
}

async function main(): Promise<number> {
  const ids = benches.map(({ id }) => id);
  const options = parseOptions(process.argv.slice(2), ids);
  if (options.help) process.stdout.write(HELP);
  else if (options.list) for (const { id, summary } of benches) process.stdout.write(`${id.padEnd(5)} ${summary}\n`);
  else return (await runBenches(options)) ? 0 : 1;
  return 0;
}

try {
  process.exitCode = await main();
} catch (error) {
  console.error(error instanceof UsageError ? error.message : error);
  process.exitCode = error instanceof UsageError ? 2 : 1;
}
