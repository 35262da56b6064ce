import { createRegistryView } from '../../detector/src/classify/registry-view.ts';
import { classify } from '../../detector/src/classify/classify.ts';
import { createLaneStates } from '../../detector/src/lane-state/lane-states.ts';
import { LedgerBlock } from '../../detector/src/ledger/native/ledger-block.ts';
import { openPlaces } from '../../detector/src/networks/places.ts';
import { decodeRecord } from '../../detector/src/pipeline/decode.ts';
import { createDetection } from '../../detector/src/pipeline/detection.ts';
import { rulesInForce } from '../../detector/src/rules/index.ts';
import { encodeUsageRow, ROW_VERSION_HEADER, USAGE_ROW_VERSION } from '../../ingest/contract/index.ts';
import { workload } from './workload.ts';

/*
 * What the rules cost: the detector's synchronous pass (decode, classify, lane state, rules, block) over the same records with the four
 * rules that were first and with all of them, in turns in one process, the best of several. Run it with
 * `node deploy/bench/rules-cost.ts [events] [lanes]`.
 */
const events = Number(process.argv[2] ?? 200_000);
const lanes = Number(process.argv[3] ?? 2_000);
const ROUNDS = 4;
const PER_RECORD = 64;

const rows = [...workload({ events, keys: lanes, endMs: Date.now() })].map(encodeUsageRow);
const records = Array.from({ length: Math.ceil(rows.length / PER_RECORD) }, (_, offset) => ({
  partition: 0,
  offset,
  key: null,
  value: Buffer.from(rows.slice(offset * PER_RECORD, (offset + 1) * PER_RECORD).join('\n')),
  headers: { [ROW_VERSION_HEADER]: USAGE_ROW_VERSION },
  timestamp: Date.now(),
}));
const places = openPlaces({ geoFile: '', asnFile: '' });
const FIRST = new Set(['R01', 'R02', 'R03', 'R05']);

/** @returns events a second of CPU: what else the machine does counts less so */
function run(isAll: boolean): number {
  const registry = createRegistryView();
  const rules = rulesInForce({}, places).filter(({ id }) => isAll || FIRST.has(id));
  const detection = createDetection(createLaneStates({ lanesMax: lanes * 2, valuesPerLane: 32, places }), rules);
  const block = new LedgerBlock();
  const begun = process.cpuUsage();
  for (const [index, record] of records.entries()) {
    for (const row of decodeRecord(record, Date.now()).rows) {
      row.lane = row.fingerprint;
      const { standing, match, credential } = classify(row, row.seen_at, registry);
      row.standing = standing;
      row.match = match;
      detection.observe(row, credential);
      block.add(row);
    }
    if (index % 300 === 299) {
      detection.takeChanges();
      block.start();
    }
  }
  const { user, system } = process.cpuUsage(begun);
  return events / ((user + system) / 1e6);
}

const best = { first: 0, all: 0 };
for (let round = 0; round < ROUNDS; round++) {
  best.first = Math.max(best.first, run(false));
  best.all = Math.max(best.all, run(true));
}
process.stdout.write(
  `${JSON.stringify({ events, lanes, first_rules_per_cpu_s: Math.round(best.first), all_rules_per_cpu_s: Math.round(best.all), ratio: Number((best.all / best.first).toFixed(3)) })}\n`,
);
