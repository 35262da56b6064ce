import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { median, type Bench } from './bench.ts';

const LANES = 100_000;
const EVENTS_PER_LANE = 20;

const execute = promisify(execFile);

/** A bench of what a lane costs, in a process of its own that prints it. */
function memoryBench(line: { id: string; summary: string; what: string; limitBytes: number }, child: URL): Bench {
  const { id, summary, limitBytes } = line;
  return {
    id,
    summary,
    async run(context) {
      const entry = fileURLToPath(child);
      const ours: number[] = [];
      let lanes = 0;
      for (let run = 0; run < context.runs; run++) {
        const args = ['--expose-gc', '--max-old-space-size=8192', entry, String(LANES), String(EVENTS_PER_LANE)];
        const { stdout } = await execute(process.execPath, args, { signal: context.stopped });
        const figures = JSON.parse(stdout) as { lanes: number; bytes_per_lane: number };
        ours.push(figures.bytes_per_lane);
        lanes = figures.lanes;
        context.log(
          `${id} run ${run + 1}: ${Math.round(figures.bytes_per_lane)} bytes per lane at ${figures.lanes} lanes`,
        );
      }
      const figure = median(ours);
      const result = { unit: 'bytes', ours: figure, peer: limitBytes, ratio: limitBytes / figure, floor: 1 };
      const what = `${line.what}, ${lanes} lanes of ${EVENTS_PER_LANE} events in the mean`;
      return [{ id, what, against: 'limit', ...result, oursRuns: ours, peerRuns: [limitBytes] }];
    },
  };
}

export const laneMemory = memoryBench(
  { id: 'P7', summary: 'memory of a lane', what: 'lane state per lane', limitBytes: 4_096 },
  new URL('./lane-memory-child.ts', import.meta.url),
);

export const ruleMemory = memoryBench(
  {
    ...{ id: 'D6', summary: 'memory of a lane with all rules over a month', limitBytes: 8_192 },
    what: 'lane state with all rules and findings per lane, events of 30 days',
  },
  new URL('./rule-memory-child.ts', import.meta.url),
);
