import { createLaneStates } from '../../detector/src/lane-state/lane-states.ts';
import type { LedgerRow } from '../../detector/contract/index.ts';
import { toRow } from './to-row.ts';
import { workload } from './workload.ts';

/*
 * Fills the detector's lane memory and prints what a lane costs, in bytes of heap. Runs under --expose-gc, alone in its
 * process, so that nothing else is on the heap's account.
 */
const lanes = Number(process.argv[2]);
const eventsPerLane = Number(process.argv[3]);

const before = usedBytes();
const states = createLaneStates({ lanesMax: lanes, valuesPerLane: 32 });
for (const event of workload({ events: lanes * eventsPerLane, keys: lanes, endMs: Date.now() })) {
  // Through JSON, as rows come off the bus: strings that are this event's own.
  states.observe(toRow(JSON.parse(JSON.stringify(event)) as typeof event) satisfies LedgerRow);
}
const bytes = (usedBytes() - before) / states.size;
process.stdout.write(`${JSON.stringify({ lanes: states.size, bytes_per_lane: bytes })}\n`);

function usedBytes(): number {
  global.gc?.();
  global.gc?.();
  const { heapUsed, arrayBuffers } = process.memoryUsage();
  return heapUsed + arrayBuffers;
}
