import { randomInt } from 'node:crypto';
import { ClickHouseError } from '@clickhouse/client';
import type { Window } from '../../contract/index.ts';
import { ReadTooLargeError } from '../clickhouse.ts';
import type { ClickHouse } from '../clickhouse.ts';
import { windowScope } from '../ledger/scope.ts';
import { LANE_COLUMNS, lanesParameters, lanesSql, SHOWN_COLUMNS } from './states.ts';

/**
 * Facts are handed out while they are this young, or as old as reading them took so many times: a slow read must not be the engine's only
 * work. What was stored since and told to a page is never left out, however young they are.
 */
const YOUNG_MS = 1_000;
const YOUNG_PER_DURATION = 2;
/** The same facts serve at most so long: who is live, and which key has expired, changes by itself. */
const AGE_MS_MAX = 10_000;
/** From this share of its life on a reading that is asked for is made anew beside, so that nobody waits for the next. */
const AHEAD = 0.5;
/** The engine's code for a `throwIf` that threw. */
const THROWN = '395';
/** Fits a number of JavaScript, and is no other reading's. */
const READING_MAX = 2 ** 47;

const SUMS = LANE_COLUMNS.filter((column) => !SHOWN_COLUMNS.some((shown) => shown === column));
const FACTS = [
  ...['lane', 'fingerprint', 'lane_hint', 'lane_org', 'lane_provider', 'standing', 'match', 'posture', 'weak_facts'],
  ...['record_id', 'record_name', 'record_kind', 'record_owner', 'record_sharing', 'record_people_declared'],
  ...['record_expires_at', 'record_revoked_at'],
  ...['is_attributed', 'is_retired_in_use', 'is_refused', 'is_unknown_in_use', 'is_shared', 'is_overshared'],
  ...['is_live', 'is_weak', 'standing_risk', 'risk', 'event_count', 'retired_count'],
  ...['user_count', 'spent', 'first_at', 'last_at'],
];

/** Lanes of a window with how they stand, as they were at one moment. */
export interface LaneFacts {
  window: Window;
  /** The moment that they are of, epoch milliseconds: the window ends with it. */
  nowMs: number;
  /** Everything that was stored until then is in them; null for an empty ledger. */
  lastStoredMs: number | null;
  /** Of the registry by which they stand. */
  registryVersion: number;
  /** Names them: facts of another key may be others. */
  key: string;
  /** What stands behind FROM: a row a lane, with the columns of `lanesSql` but for those that only pages show. */
  from: string;
  parameters: Record<string, unknown>;
}

/** Facts of lanes, read once for all who ask within a moment. */
export interface LaneFactsReader {
  /**
   * Works with the facts of a window. Where the engine lost them meanwhile, the work is done again with new ones.
   * @throws {ReadTooLargeError | StoreUnavailableError}
   */
  use<Result>(window: Window, work: (facts: LaneFacts) => Promise<Result>): Promise<Result>;
  /** Somebody was told that something was stored then, and will ask for it. */
  told(lastStoredMs: number | null): void;
  /** Something was changed that they show. */
  forget(): void;
}

/** Facts that each statement over them reads anew from the roll-up. */
export function factsReadAnew(
  database: string,
  asOf: Pick<LaneFacts, 'window' | 'nowMs' | 'lastStoredMs' | 'registryVersion'>,
): LaneFacts {
  const { window, nowMs } = asOf;
  const scope = windowScope(window, nowMs);
  return {
    ...asOf,
    key: `${window} ${nowMs} ${asOf.registryVersion}`,
    from: `(${lanesSql(database, scope, SUMS)})`,
    parameters: { ...scope.parameters, ...lanesParameters(nowMs) },
  };
}

/** Writes them beside the ledger, as SQL. */
function fillFactsSql(database: string, from: string): string {
  return `INSERT INTO ${database}.lane_facts (reading, ${FACTS.join(', ')}) SELECT {reading:UInt64}, ${FACTS.join(', ')} FROM ${from}`;
}

/** What tells whether anything was stored between two looks; from part headers, so it costs nothing. */
async function lookAt(store: ClickHouse): Promise<{ mark: string; lastStoredMs: number | null }> {
  const [row] = await store.rows<{ events: number | string; last: number | string }>(
    `SELECT count() AS events, toUnixTimestamp64Milli(max(stored_at)) AS last FROM ${store.database}.ledger`,
  );
  const last = Number(row?.last ?? 0);
  return { mark: `${row?.events ?? 0} ${last}`, lastStoredMs: last === 0 ? null : last };
}

interface Held {
  facts: LaneFacts;
  mark: string;
  /** When it was known last that nothing had been stored since. */
  checkedMs: number;
  youngMs: number;
}

/**
 * The reader of one process. Facts lie in the engine's memory (`lane_facts`), never in ours: lists, counts and sums of a page are small statements over them, where
 * each would else plan and make the same pass over the roll-up.
 * @param parts.version of the registry, which decides how lanes stand
 * @param parts.isShared false: everybody who asks has facts of their own
 */
export function createLaneFacts(parts: {
  store: ClickHouse;
  version: () => Promise<number>;
  now: () => number;
  isShared: boolean;
  onFault: (error: unknown) => void;
}): LaneFactsReader {
  const { store, version, now, isShared, onFault } = parts;
  const held = new Map<Window, Held>();
  const running = new Map<Window, Promise<Held>>();
  let toldMs = 0;
  let changes = 0;

  async function read(window: Window, registry: number): Promise<Held> {
    const nowMs = now();
    const startedMs = performance.now();
    const { mark, lastStoredMs } = await lookAt(store);
    const before = held.get(window);
    if (before?.mark === mark && before.facts.registryVersion === registry && nowMs - before.facts.nowMs < AGE_MS_MAX) {
      before.checkedMs = nowMs;
      return before;
    }
    const asOf = { window, nowMs, lastStoredMs, registryVersion: registry };
    const facts = await keptInEngine(factsReadAnew(store.database, asOf));
    const youngMs = Math.max(YOUNG_MS, (performance.now() - startedMs) * YOUNG_PER_DURATION);
    return { facts, mark, checkedMs: nowMs, youngMs: Math.min(AGE_MS_MAX, youngMs) };
  }

  /** Where they can't be kept they are read anew each time, which is slower and says the same. */
  async function keptInEngine(anew: LaneFacts): Promise<LaneFacts> {
    const reading = randomInt(READING_MAX);
    const table = `${store.database}.lane_facts`;
    try {
      const rows = await store.fill(fillFactsSql(store.database, anew.from), {
        ...anew.parameters,
        reading,
      });
      const isOf = 'reading = {reading:UInt64}';
      return {
        ...anew,
        key: String(reading),
        from: `(SELECT * FROM ${table} WHERE ${isOf} AND (SELECT throwIf(count() != {reading_rows:UInt64}) FROM ${table} WHERE ${isOf}) = 0)`,
        parameters: { reading, reading_rows: rows },
      };
    } catch (error) {
      if (error instanceof ReadTooLargeError) throw error;
      onFault(error);
      return anew;
    }
  }

  /** One reading of a window at a time. One that was under way when something changed is for those who asked before. */
  function refreshed(window: Window, registry: number): Promise<Held> {
    const under = running.get(window);
    if (under !== undefined) return under;
    const asOf = changes;
    const made = read(window, registry).then((result) => {
      if (asOf === changes) held.set(window, result);
      return result;
    });
    const ended = (): void => void (running.get(window) === made && running.delete(window));
    running.set(window, made);
    made.then(ended, ended);
    return made;
  }

  const isUsable = (one: Held | undefined, registry: number): one is Held =>
    one !== undefined &&
    one.facts.registryVersion === registry &&
    (one.facts.lastStoredMs ?? 0) >= toldMs &&
    now() - one.checkedMs < one.youngMs &&
    now() - one.facts.nowMs < AGE_MS_MAX;

  async function factsOf(window: Window): Promise<LaneFacts> {
    const registry = await version();
    if (!isShared) return (await read(window, registry)).facts;
    const newest = held.get(window);
    if (isUsable(newest, registry)) {
      if (now() - newest.checkedMs > newest.youngMs * AHEAD) refreshed(window, registry).catch(() => undefined);
      return newest.facts;
    }
    const made = await refreshed(window, registry);
    // It may have begun before what somebody was told of.
    return (isUsable(made, registry) ? made : await refreshed(window, registry)).facts;
  }

  return {
    async use(window, work) {
      const facts = await factsOf(window);
      try {
        return await work(facts);
      } catch (error) {
        if (!(error instanceof ClickHouseError) || error.code !== THROWN) throw error;
        if (held.get(window)?.facts === facts) held.delete(window);
        return work(factsReadAnew(store.database, facts));
      }
    },
    told(lastStoredMs) {
      toldMs = Math.max(toldMs, lastStoredMs ?? 0);
    },
    forget() {
      changes++;
      held.clear();
      running.clear();
    },
  };
}
