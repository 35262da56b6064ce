import { classify } from '../../detector/src/classify/classify.ts';
import { createRegistryView } from '../../detector/src/classify/registry-view.ts';
import { createLaneStates } from '../../detector/src/lane-state/lane-states.ts';
import { openPlaces } from '../../detector/src/networks/places.ts';
import { createDetection } from '../../detector/src/pipeline/detection.ts';
import { rulesInForce, windowMsOf } from '../../detector/src/rules/index.ts';
import { toRow } from './to-row.ts';
import { registeredKeys, workload } from './workload.ts';

/*
 * Runs events of a month, from public addresses, through all rules and prints what a lane costs in bytes of heap: what was learned of it,
 * its findings, and its share of what is held across lanes. Runs under --expose-gc, alone in its process; registry and geography are not on the account.
 */
const lanes = Number(process.argv[2]);
const eventsPerLane = Number(process.argv[3]);
const MONTH_MS = 30 * 86_400_000;
const FLUSH_EVENTS = 100_000;

const places = openPlaces({ geoFile: '', asnFile: '' });
const registry = createRegistryView();
for (const record of registeredKeys(lanes)) registry.apply(Buffer.from(JSON.stringify(record)));
places.of('81.2.69.142');

const before = usedBytes();
const rules = rulesInForce({}, places);
const states = createLaneStates({ lanesMax: lanes, valuesPerLane: 32, windowMs: windowMsOf(rules), places });
const detection = createDetection(states, rules);
const events = lanes * eventsPerLane;
const endMs = Date.now();
let count = 0;
for (const event of workload({ events, keys: lanes, endMs })) {
  const time = endMs - Math.round((1 - count / events) * MONTH_MS);
  const ip = event.ip.replace(/^10\.(\d+)/, (_all, second: string) => `${40 + Number(second)}.${second}`);
  // Through JSON, as rows come off the bus: strings that are this event's own.
  const row = toRow(JSON.parse(JSON.stringify({ ...event, ip, time, received_at: time + 250 })) as typeof event);
  const { standing, match, credential } = classify(row, row.seen_at, registry);
  row.standing = standing;
  row.match = match;
  row.credential_id = credential === null ? '' : credential.record.id;
  detection.observe(row, credential);
  if (++count % FLUSH_EVENTS === 0) detection.takeChanges();
}
detection.takeChanges();
const bytes = (usedBytes() - before) / states.size;
process.stdout.write(`${JSON.stringify({ lanes: states.size, bytes_per_lane: bytes })}\n`);
// What was measured has to be reachable until then.
detection.clear();

function usedBytes(): number {
  global.gc?.();
  global.gc?.();
  const { heapUsed, arrayBuffers } = process.memoryUsage();
  return heapUsed + arrayBuffers;
}
