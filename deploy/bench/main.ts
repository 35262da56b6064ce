import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { cpus, tmpdir, totalmem } from 'node:os';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { startKafka, type KafkaServer } from '../kafka/start-kafka.ts';
import type { Bench, BenchContext, BenchResult } from './bench.ts';
import { machineAndVersions, table } from './report.ts';
import { benches } from './benches.ts';

const HELP = `npm run bench [-- options]

Measures against named peers or limits, each pair interleaved in one run, and prints medians as one table.

  --only IDS      comma-separated ids, such as P1,P2    (default: all)
  --runs N        interleaved runs of each side         (default 5)
  --events N      events per run of the path            (default 1000000)
  --json FILE     write every single figure as JSON     (default deploy/bench/results.json)
  --list          list the benches
  --help          this text
`;

const { values } = parseArgs({
  options: {
    only: { type: 'string' },
    runs: { type: 'string', default: '5' },
    events: { type: 'string', default: '1000000' },
    json: { type: 'string', default: path.join(import.meta.dirname, 'results.json') },
    list: { type: 'boolean', default: false },
    help: { type: 'boolean', default: false },
  },
});

if (values.help) process.stdout.write(HELP);
else if (values.list) for (const { id, summary } of benches) process.stdout.write(`${id.padEnd(5)} ${summary}\n`);
else await runBenches(chosen(values.only));

function chosen(only: string | undefined): Bench[] {
  if (only === undefined) return benches;
  const ids = only.split(',').map((id) => id.trim());
  const unknown = ids.filter((id) => !benches.some((bench) => bench.id === id));
  if (unknown.length > 0) {
    process.stderr.write(
      `--only: no bench is called ${unknown.join(', ')}; there are ${benches.map(({ id }) => id).join(', ')}.\n`,
    );
    process.exit(2);
  }
  return benches.filter(({ id }) => ids.includes(id));
}

async function runBenches(list: Bench[]): Promise<void> {
  const home = mkdtempSync(path.join(tmpdir(), 'lanewatch-bench-'));
  const brokers: Promise<KafkaServer>[] = [];
  let directories = 0;
  const context: BenchContext = {
    kafka() {
      if (brokers.length === 0) brokers.push(startKafka({ heapMb: 1024 }));
      return brokers[0]!;
    },
    runs: Number(values.runs),
    events: Number(values.events),
    temporaryDirectory: () => path.join(home, String(directories++)),
    log: (line) => process.stderr.write(`  ${line}\n`),
  };
  const results: BenchResult[] = [];
  const machine = await machineAndVersions(cpus(), totalmem());
  try {
    for (const bench of list) {
      process.stderr.write(`${bench.id}: ${bench.summary}\n`);
      results.push(...(await bench.run(context)));
    }
  } finally {
    for (const broker of brokers) await (await broker).stop();
    rmSync(home, { recursive: true, force: true });
  }
  process.stdout.write(`${machine}\n\n${table(results)}\n`);
  writeFileSync(
    values.json,
    `${JSON.stringify({ machine, runs: context.runs, events: context.events, results }, null, 2)}\n`,
  );
}
