import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { median, type Bench } from './bench.ts';

const LANES = 100_000;
const EVENTS_PER_LANE = 20;
const LIMIT_BYTES = 4_096;

const execute = promisify(execFile);

export const laneMemory: Bench = {
  id: 'P7',
  summary: 'memory of a lane',
  async run(context) {
    const entry = fileURLToPath(new URL('./lane-memory-child.ts', import.meta.url));
    const ours: number[] = [];
    let lanes = 0;
    for (let run = 0; run < context.runs; run++) {
      const args = ['--expose-gc', '--max-old-space-size=8192', entry, String(LANES), String(EVENTS_PER_LANE)];
      const { stdout } = await execute(process.execPath, args, { signal: context.stopped });
      const figures = JSON.parse(stdout) as { lanes: number; bytes_per_lane: number };
      ours.push(figures.bytes_per_lane);
      lanes = figures.lanes;
      context.log(`P7 run ${run + 1}: ${Math.round(figures.bytes_per_lane)} bytes per lane at ${figures.lanes} lanes`);
    }
    const figure = median(ours);
    const result = { unit: 'bytes', ours: figure, peer: LIMIT_BYTES, ratio: LIMIT_BYTES / figure, floor: 1 };
    const what = `lane state per lane, ${lanes} lanes of ${EVENTS_PER_LANE} events in the mean`;
    return [{ id: 'P7', what, against: 'limit', ...result, oursRuns: ours, peerRuns: [LIMIT_BYTES] }];
  },
};
