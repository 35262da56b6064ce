import { laneOf, UNATTRIBUTED_LANE, type BusRecord, type UsageEvent } from '@lanewatch/ingest/contract';
import { RISK_OF, type Finding, type LedgerRow, type Severity } from '../contract/index.ts';
import { classify } from '../src/classify/classify.ts';
import { createRegistryView } from '../src/classify/registry-view.ts';
import { createLaneStates } from '../src/lane-state/lane-states.ts';
import { eventRow } from '../src/pipeline/decoded-row.ts';
import { createDetection } from '../src/pipeline/detection.ts';
import { openPlaces } from '../src/networks/places.ts';
import { rulesInForce, windowMsOf } from '../src/rules/index.ts';
import type { RuleOverrides } from '../src/rules/parameters.ts';
import { createJobs } from './jobs.ts';
import type { SimItem } from './traffic.ts';

/** A finding as it was raised, or became worse than it ever was: what people would be told. */
export interface Seen {
  finding: Finding;
  /** Of the event that did it: when it happened and when it was received, epoch milliseconds; where a job decided it the former is then, the latter null. */
  happenedMs: number;
  receivedMs: number | null;
  /** When its batch was closed. */
  foundMs: number;
  /** What it was then. */
  severity: Severity;
}

export interface Watched {
  findings: Seen[];
  /** Distinct lanes with events from `fromMs` on. */
  lanes: number;
  events: number;
}

/** As the detector does by default: a row waits so long for others. */
const FLUSH_MS = 200;
const JOBS_EVERY_MS = 60_000;
/** A change of the registry is looked at for so long: longer than a guard may be off. */
const GUARDS_SETTLE_MS = 30 * 60_000;
const LANES_MAX = 200_000;
const VALUES_PER_LANE = 32;

/** A detector without bus and ledger that takes items one by one. */
export interface Watcher {
  /** Waits where jobs were due. */
  take(item: SimItem): Promise<void> | undefined;
  /** What was found in all of them. */
  finish(): Watched;
}

/**
 * Registry, classification, lane state and rules of the running detector, in this process. The clock is that of the items: a batch is closed
 * whenever a flush interval of it has passed.
 * @param fromMs since when lanes are counted
 * @param onRow told of each event that names a key, as it would be stored
 */
export function createWatcher(
  fromMs: number | (() => number),
  overrides: RuleOverrides = {},
  onRow: (row: LedgerRow) => void = () => undefined,
): Watcher {
  const countedFromMs = typeof fromMs === 'number' ? () => fromMs : fromMs;
  const registry = createRegistryView();
  const places = openPlaces({ geoFile: '', asnFile: '' });
  const rules = rulesInForce(overrides, places);
  const lanes = createLaneStates({
    lanesMax: LANES_MAX,
    valuesPerLane: VALUES_PER_LANE,
    windowMs: windowMsOf(rules),
    places,
  });
  const detection = createDetection(lanes, rules);
  const seen: Seen[] = [];
  const worst = new Map<string, Severity>();
  const raisedBy = new Map<string, { happenedMs: number; receivedMs: number }>();
  const lanesSeen = new Set<string>();
  const at: BusRecord = { partition: 0, offset: 0, key: null, value: Buffer.alloc(0), headers: {}, timestamp: 0 };
  let events = 0;
  let flushAtMs = 0;

  const jobs = createJobs({
    records: () => Iterator.from(registry.all()).map(({ record }) => record),
    overrides,
    onFinding(finding, nowMs) {
      seen.push({
        finding,
        happenedMs: nowMs,
        receivedMs: null,
        foundMs: nowMs,
        severity: finding.severity,
      });
    },
  });
  let dueMs = 0;
  let recordsChangedMs = 0;

  function flush(nowMs: number): void {
    for (const { finding } of detection.takeChanges()) {
      const known = worst.get(finding.id);
      if (known !== undefined && RISK_OF[finding.severity] <= RISK_OF[known]) continue;
      worst.set(finding.id, finding.severity);
      // A finding may get worse by what came to its lane before: then by the newest event of it.
      const by = raisedBy.get(finding.id) ?? {
        happenedMs: Date.parse(finding.last_seen),
        receivedMs: Date.parse(finding.last_received_at),
      };
      seen.push({ finding, ...by, foundMs: nowMs, severity: finding.severity });
    }
    raisedBy.clear();
  }

  function observe(event: UsageEvent, receivedMs: number): void {
    at.offset = ++events;
    const row = eventRow(event, at, 0);
    row.lane = laneOf(row.fingerprint, row.hint, row.org);
    const { standing, match, credential } = classify(row, row.seen_at, registry);
    row.standing = standing;
    row.match = match;
    row.credential_id = credential === null ? '' : credential.record.id;
    jobs.countEvent(row.collector, row.received_at);
    if (row.lane === UNATTRIBUTED_LANE) return;
    if (receivedMs >= countedFromMs()) lanesSeen.add(row.lane);
    detection.observe(row, credential);
    onRow(row);
    for (const id of row.findings)
      if (!raisedBy.has(id)) raisedBy.set(id, { happenedMs: row.time, receivedMs: row.received_at });
  }

  /** The jobs about what happened, once a minute as in the running detector. */
  async function runJobs(nowMs: number): Promise<void> {
    dueMs = nowMs + JOBS_EVERY_MS;
    await jobs.collectors(nowMs);
    if (nowMs - recordsChangedMs < GUARDS_SETTLE_MS) await jobs.guards(nowMs);
  }

  return {
    take(item) {
      const jobs = item.atMs >= dueMs && events > 0 ? runJobs(item.atMs) : undefined;
      if (item.atMs >= flushAtMs) {
        if (detection.hasChanges) flush(flushAtMs);
        flushAtMs = item.atMs + FLUSH_MS;
      }
      if (item.kind === 'event') observe(item.event, item.atMs);
      else {
        registry.apply(Buffer.from(JSON.stringify(item.record)));
        recordsChangedMs = item.atMs;
      }
      return jobs;
    },
    finish() {
      flush(flushAtMs);
      return { findings: seen, lanes: lanesSeen.size, events };
    },
  };
}
