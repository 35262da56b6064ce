import type { Bus, CollectorCounts, LatestView, TopicSpec } from '@lanewatch/ingest/contract';
import { collectorCountsSchema, mayShipEvents, MOVED_SOURCES_MAX } from '@lanewatch/ingest/contract';
import type { CollectorHealth } from '../../contract/index.ts';
import { statusAt } from '../registry/record.ts';
import type { CredentialRow } from '../registry/record.ts';
import type { RegistrySnapshot } from '../registry/view.ts';
import { instantOf } from '../ledger/window.ts';

/** A collector without an event for longer is silent; rule R27's default. */
export const SILENT_MS = 5 * 60_000;
/**
 * Whoever has no key that works is waited for this long: an expired key may be the reason why events are missing, but one that nobody
 * renewed, one that a restored registry lost, and an own producer's single event would else be silent collectors for ever.
 */
const GONE_MS = 24 * 3_600_000;
/** Reports held apart. Beyond it those that came longest ago are added up per collector; mostly their processes have ended. */
const REPORTS_MAX = 20_000;
/**
 * Of so many times as many it is remembered what they added, because a process that is still there reports its total again. Those before
 * them are forgotten.
 */
const REMEMBERED_PER_REPORT = 10;

const COUNTS = [
  'accepted',
  'rejected',
  'ignored',
  'redacted',
  'stored',
  'duplicates',
  'dead_lettered',
  'moved',
] as const;
type Totals = Record<(typeof COUNTS)[number], number> & {
  /** Sources of events that were moved, a few. */
  moved_sources: string[];
  lastReceivedMs: number | null;
  /** When an ingest last said that part of it lies in its spool; null when none says so now. */
  spooledAtMs: number | null;
  /** How many of the accepted events are known to be off the bus. */
  settled: number;
};

function noTotals(): Totals {
  return {
    accepted: 0,
    rejected: 0,
    ignored: 0,
    redacted: 0,
    stored: 0,
    duplicates: 0,
    dead_lettered: 0,
    moved: 0,
    moved_sources: [],
    lastReceivedMs: null,
    spooledAtMs: null,
    settled: 0,
  };
}

function add(totals: Totals, report: CollectorCounts): void {
  for (const name of COUNTS) totals[name] += report[name];
  const sources = new Set([...totals.moved_sources, ...report.moved_sources]);
  totals.moved_sources = [...sources].slice(0, MOVED_SOURCES_MAX);
  const lastMs = report.last_received_at === null ? null : Date.parse(report.last_received_at);
  if (lastMs !== null && lastMs > (totals.lastReceivedMs ?? -Infinity)) totals.lastReceivedMs = lastMs;
}

/** What all processes counted, by collector. */
export interface CollectorTotals {
  /** Takes a report off the topic. False when the value is none. */
  apply(key: string, value: Buffer): boolean;
  byCollector(): Map<string, Totals>;
  /** Notes that so many of the events accepted for each collector are off the bus. */
  settle(accepted: ReadonlyMap<string, number>): void;
}

/** Holds the latest report of every process and collector, the oldest in brief. Bounded. */
export function createCollectorTotals(reportsMax: number = REPORTS_MAX): CollectorTotals {
  const latest = new Map<string, CollectorCounts>();
  const folded = new Map<string, Totals>();
  /** By key, what its last report added to `folded`. */
  const remembered = new Map<string, number[]>();
  const settled = new Map<string, number>();

  function totalsIn(totals: Map<string, Totals>, collector: string): Totals {
    const held = totals.get(collector) ?? noTotals();
    totals.set(collector, held);
    return held;
  }

  function fold(key: string, report: CollectorCounts): void {
    latest.delete(key);
    add(totalsIn(folded, report.collector), report);
    remembered.set(
      key,
      COUNTS.map((name) => report[name]),
    );
    if (remembered.size > reportsMax * REMEMBERED_PER_REPORT) remembered.delete(firstOf(remembered)[0]);
  }

  /** A process that reports again says what it counted in all: what was folded of it is in there. */
  function unfold(key: string, collector: string): void {
    const counts = remembered.get(key);
    if (counts === undefined) return;
    remembered.delete(key);
    const totals = totalsIn(folded, collector);
    for (const [index, name] of COUNTS.entries()) totals[name] -= counts[index] ?? 0;
  }

  return {
    apply(key, value) {
      const report = parse(value);
      if (report === null) return false;
      unfold(key, report.collector);
      // A Map keeps insertion order, so re-inserting makes the first entry the one that reported longest ago.
      latest.delete(key);
      latest.set(key, report);
      if (latest.size > reportsMax) fold(...firstOf(latest));
      return true;
    },
    byCollector() {
      const totals = new Map([...folded].map(([collector, counts]) => [collector, { ...counts }]));
      for (const report of latest.values()) {
        const total = totalsIn(totals, report.collector);
        add(total, report);
        if (report.spooled) total.spooledAtMs = Math.max(total.spooledAtMs ?? 0, Date.parse(report.reported_at));
      }
      for (const [collector, count] of settled) totalsIn(totals, collector).settled = count;
      return totals;
    },
    settle(accepted) {
      for (const [collector, count] of accepted) settled.set(collector, count);
    },
  };
}

function firstOf<Value>(map: ReadonlyMap<string, Value>): [string, Value] {
  return map.entries().next().value as [string, Value];
}

function parse(value: Buffer): CollectorCounts | null {
  try {
    return collectorCountsSchema.parse(JSON.parse(value.toString('utf8')));
  } catch {
    return null;
  }
}

/** Follows the topic of counts. */
export function followCollectorCounts(
  bus: Bus,
  topic: TopicSpec,
  totals: CollectorTotals,
  onInvalid: () => void,
): Promise<LatestView> {
  return bus.followLatest(topic.name, (record) => {
    if (!totals.apply(record.key ?? '', record.value)) onInvalid();
  });
}

const STATE_ORDER = { silent: 0, never: 1, reporting: 2, expired: 3, revoked: 4, gone: 5 } as const;

function stateOf(
  credential: CredentialRow | undefined,
  lastReceivedMs: number | null,
  nowMs: number,
): CollectorHealth['state'] {
  const status = credential === undefined ? 'gone' : statusAt(credential, nowMs);
  if (status === 'revoked') return status;
  const quietMs = lastReceivedMs === null ? Infinity : nowMs - lastReceivedMs;
  if (quietMs <= SILENT_MS) return 'reporting';
  if (status === 'active') return lastReceivedMs === null ? 'never' : 'silent';
  return quietMs <= GONE_MS ? 'silent' : status;
}

/** Every collector with its state: the keys that may ship events, and whoever else was counted. Pure. */
export function collectorHealth(
  registry: RegistrySnapshot,
  totals: ReadonlyMap<string, Totals>,
  nowMs: number,
): CollectorHealth[] {
  const ids = new Set(registry.all.filter(mayShipEvents).map(({ id }) => id));
  for (const collector of totals.keys()) ids.add(collector);
  return [...ids]
    .map((collector): CollectorHealth => {
      const credential = registry.byId.get(collector);
      const { lastReceivedMs, spooledAtMs: _, settled, ...counts } = totals.get(collector) ?? noTotals();
      // Events from a Kafka producer of its own pass no ingest, so nobody accepted them and nothing can be in flight.
      const uncounted = counts.accepted - counts.stored - counts.duplicates - counts.dead_lettered;
      const inFlight = Math.min(uncounted, counts.accepted - settled);
      return {
        collector,
        name: credential?.name ?? (collector === '' ? 'Kafka producers' : collector),
        hint: credential?.hint ?? '',
        registered: credential !== undefined,
        state: stateOf(credential, lastReceivedMs, nowMs),
        last_received_at: lastReceivedMs === null ? null : instantOf(lastReceivedMs),
        ...counts,
        // The two sides report at different moments; for a moment the later one can be ahead.
        in_flight: collector === '' ? 0 : Math.max(0, inFlight),
      };
    })
    .sort((a, b) => STATE_ORDER[a.state] - STATE_ORDER[b.state] || (a.name < b.name ? -1 : 1));
}
