import { setImmediate } from 'node:timers/promises';
import { BRIEFLY } from '../clickhouse.ts';
import type { ClickHouse } from '../clickhouse.ts';
import type { PersonalTokens } from '../accounts/tokens.ts';
import type { CollectorTotals } from '../overview/collectors.ts';
import type { LastUse } from './record.ts';
import type { RegistrySnapshot } from './view.ts';

/** How often the ledger is looked at: well below the minute that a last use may be late. */
const LOOK_MS = 15_000;
/** A look older than this is not shown without another. */
const STALE_MS = 45_000;
/** Rows stored this long before the newest one seen are looked at again: batches of several detectors become visible out of order. */
const OVERLAP_MS = 60_000;
/** More lanes than this that were never looked at are read with all others, in one go. */
const LANES_PER_READ = 500;
const SHIPPED_KEPT_MS = 1_000;
/** Keys that are gone through before others get their turn. */
const KEYS_PER_TURN = 2_000;

/** When credentials were used last, held in memory and brought forward from what the ledger stored since. */
export interface LastUses {
  /** Looks now if the last look is too old. Never fails: what is not known is told by `of`. */
  fresh(): Promise<void>;
  of(id: string): LastUse;
  /** Grows with every look that found something. */
  readonly version: number;
  close(): void;
}

interface Seen {
  lane: string;
  credential_id: string;
  last: number | string;
  stored: number | string;
}

/**
 * Follows the ledger. A credential was used when one of its secrets' lanes was seen, when a row of another lane was matched to it as it
 * was written, when it shipped events as a collector, or when it spoke for a person here. A ledger that does not answer leaves that open instead of failing: the
 * registry lives without it, and is needed most during an incident.
 * @param parts.onFault hears what the ledger did not answer
 */
export function followLastUses(parts: {
  store: ClickHouse;
  collectors: CollectorTotals;
  tokens: Pick<PersonalTokens, 'lastUses'>;
  registry: { current(): Promise<RegistrySnapshot> };
  now: () => number;
  onFault: (error: unknown) => void;
  /** Default {@link STALE_MS}; 0 looks at every use. */
  keptMs?: number;
}): LastUses {
  const { store, collectors, tokens, registry, now, onFault, keptMs = STALE_MS } = parts;
  const lastById = new Map<string, number>();
  /** Lanes whose whole past was looked at. */
  const looked = new Set<string>();
  /** Whose lane each is in the registry as it was last looked at, and which of them were never looked at. */
  let lanes = { version: -1, idOf: new Map<string, string>(), unseen: [] as string[] };
  let storedUpTo = 0;
  let lookedMs = -Infinity;
  let answers = false;
  /** Keys whose uses by hint on other lanes could not be looked for: of those nothing found does not mean never. */
  let open: ReadonlySet<string> = new Set();
  let version = 0;
  let looking: Promise<void> | null = null;
  let shipped = collectors.byCollector();
  let shippedMs = -Infinity;

  function note(id: string, atMs: number): void {
    if (atMs <= (lastById.get(id) ?? 0)) return;
    lastById.set(id, atMs);
    version++;
  }

  function take(rows: Seen[], idOfLane: ReadonlyMap<string, string>): void {
    for (const { lane, credential_id: matched, last, stored } of rows) {
      const owner = idOfLane.get(lane);
      if (owner !== undefined) note(owner, Number(last));
      if (matched !== '') note(matched, Number(last));
      storedUpTo = Math.max(storedUpTo, Number(stored));
    }
  }

  async function lanesOf({ version: ofRegistry, secretsById }: RegistrySnapshot): Promise<typeof lanes> {
    if (lanes.version === ofRegistry) return lanes;
    const made = { version: ofRegistry, idOf: new Map<string, string>(), unseen: [] as string[] };
    let keys = 0;
    for (const [id, secrets] of secretsById) {
      if (++keys % KEYS_PER_TURN === 0) await setImmediate();
      for (const { record_key: lane } of secrets) {
        made.idOf.set(lane, id);
        if (!looked.has(lane)) made.unseen.push(lane);
      }
    }
    lanes = made;
    return made;
  }

  async function look(): Promise<void> {
    const snapshot = await registry.current();
    const { all } = snapshot;
    const known = await lanesOf(snapshot);
    const { idOf: idOfLane, unseen } = known;
    const isFirst = storedUpTo === 0 || unseen.length > LANES_PER_READ;
    if (isFirst) {
      take(await readAll(store), idOfLane);
      open = new Set();
      const matched = await readMatched(store).catch((error: unknown) => {
        onFault(error);
        open = new Set(all.filter(({ hint, org }) => hint !== '' && org !== '').map(({ id }) => id));
        return [];
      });
      take(matched, idOfLane);
    } else {
      const since = storedUpTo - OVERLAP_MS;
      take(await readStoredSince(store, since), idOfLane);
      if (unseen.length > 0) take(await readLanes(store, unseen), idOfLane);
    }
    for (const lane of unseen) looked.add(lane);
    known.unseen = [];
    for (const [id, lastMs] of await tokens.lastUses()) note(id, lastMs);
  }

  function refresh(): Promise<void> {
    looking ??= look()
      .then(
        () => (answers = true),
        (error: unknown) => {
          answers = false;
          onFault(error);
        },
      )
      .then(() => {
        lookedMs = now();
        looking = null;
      });
    return looking;
  }

  const timer = setInterval(() => void refresh(), LOOK_MS);
  timer.unref();
  return {
    async fresh() {
      if (keptMs > 0 && answers && now() - lookedMs < keptMs) return;
      if (looking !== null) await looking;
      await refresh();
    },
    of(id) {
      if (!answers) return 'unavailable';
      // One table for the many that a page asks for at once.
      if (now() - shippedMs > SHIPPED_KEPT_MS || keptMs === 0) {
        shipped = collectors.byCollector();
        shippedMs = now();
      }
      const lastMs = Math.max(lastById.get(id) ?? 0, shipped.get(id)?.lastReceivedMs ?? 0);
      return lastMs > 0 ? lastMs : open.has(id) ? 'unavailable' : null;
    },
    get version() {
      return version;
    },
    close: () => clearInterval(timer),
  };
}

const LAST_SQL = `toUnixTimestamp64Milli(max(seen_at)) AS last`;
const STORED_SQL = `toUnixTimestamp64Milli(max(stored_at)) AS stored`;

/** Last use of every lane there is, from the roll-up. How far that reaches is read first: what comes meanwhile is read again. */
async function readAll(store: ClickHouse): Promise<Seen[]> {
  const [reach] = await store.rows<{ stored: number | string }>(
    `SELECT ${STORED_SQL} FROM ${store.database}.ledger`,
    {},
    BRIEFLY,
  );
  const rows = await store.rows<Pick<Seen, 'lane' | 'last'>>(
    `SELECT lane, ${LAST_SQL} FROM ${store.database}.ledger GROUP BY lane`,
  );
  return rows.map((row) => ({ ...row, credential_id: '', stored: reach?.stored ?? 0 }));
}

/** Uses that named a registered key by hint and org on the lane of another fingerprint. */
async function readMatched(store: ClickHouse): Promise<Seen[]> {
  const rows = await store.rows<Pick<Seen, 'credential_id' | 'last'>>(
    `SELECT credential_id, ${LAST_SQL} FROM ${store.database}.ledger WHERE match = 'probable' GROUP BY credential_id`,
  );
  return rows.map((row) => ({ ...row, lane: '', stored: 0 }));
}

function readStoredSince(store: ClickHouse, sinceMs: number): Promise<Seen[]> {
  return store.rows<Seen>(
    `SELECT lane, credential_id, ${LAST_SQL}, ${STORED_SQL} FROM ${store.database}.ledger
     WHERE stored_at >= fromUnixTimestamp64Milli({since:Int64}) GROUP BY lane, credential_id`,
    { since: Math.max(0, sinceMs) },
    BRIEFLY,
  );
}

async function readLanes(store: ClickHouse, lanes: string[]): Promise<Seen[]> {
  const rows = await store.rows<Pick<Seen, 'lane' | 'last'>>(
    `SELECT lane, ${LAST_SQL} FROM ${store.database}.ledger WHERE lane IN {lanes:Array(String)} GROUP BY lane`,
    { lanes },
    BRIEFLY,
  );
  return rows.map((row) => ({ ...row, credential_id: '', stored: 0 }));
}
