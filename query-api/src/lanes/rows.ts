import type { Lane, Window } from '../../contract/index.ts';
import type { ClickHouse } from '../clickhouse.ts';
import { rowsSince, windowScope } from '../ledger/scope.ts';
import type { Scope } from '../ledger/scope.ts';
import { instantOf, LIVE_MS } from '../ledger/window.ts';
import type { LaneFacts } from './facts.ts';
import type { LaneRow } from './lane-row.ts';
import { postureOf } from './posture.ts';
import { readRateLimits } from './rate-limits.ts';
import { registrationOf } from './registration.ts';
import { LANE_COLUMNS, laneSumsSql, lanesParameters, lanesSql, SHOWN_COLUMNS } from './states.ts';

const TEXTS = [
  ...['lane', 'fingerprint', 'lane_hint', 'lane_org', 'lane_provider', 'standing', 'match', 'posture', 'weak_facts'],
  ...['record_id', 'record_name', 'record_kind', 'record_owner', 'record_sharing'],
] as const;
/** Those that come as numbers, or as text where the engine quotes 64-bit ones. */
const NUMBERS = ['record_people_declared', 'event_count', 'retired_count', 'user_count'] as const;
const INSTANTS = ['first_at', 'last_at', 'record_expires_at', 'record_revoked_at'] as const;

/** What a row begins with: columns of facts, as SQL. */
export const ROW_COLUMNS_SQL = [
  ...TEXTS,
  ...NUMBERS,
  'toString(spent) AS spent_usd',
  ...INSTANTS.map((name) => `toUnixTimestamp64Milli(${name}) AS ${name}_ms`),
].join(', ');

/** All columns of some lanes, as SQL. */
export function laneRowsSql(database: string, scope: Pick<Scope, 'where'>): string {
  return `SELECT ${ROW_COLUMNS_SQL}, ${SHOWN_COLUMNS.join(', ')} FROM (${lanesSql(database, { where: `lane IN {lanes:Array(String)} AND ${scope.where}` }, LANE_COLUMNS)})`;
}

/** Names that fit into one request. */
const LANES_PER_REQUEST = 100;
const chunksOf = <Item>(items: readonly Item[]): Item[][] =>
  Array.from({ length: Math.ceil(items.length / LANES_PER_REQUEST) }, (_, index) =>
    items.slice(index * LANES_PER_REQUEST, (index + 1) * LANES_PER_REQUEST),
  );

/** A row as the engine answers it. */
export type Answered = Record<string, unknown> & { lane: string };

/** What some lanes have in a scope beside their facts, as SQL. */
export const shownSql = (database: string, { where }: Pick<Scope, 'where'>): string =>
  laneSumsSql(database, `lane IN {lanes:Array(String)} AND ${where}`, SHOWN_COLUMNS);

/** Rows of facts with what is read for the lanes of a page alone: the rest of their counts, how many of their sessions are live, and their limits. */
export async function completed(
  store: ClickHouse,
  facts: Pick<LaneFacts, 'window' | 'nowMs'>,
  rows: readonly Answered[],
): Promise<LaneRow[]> {
  return (await Promise.all(chunksOf(rows).map((chunk) => completeChunk(store, facts, chunk)))).flat();
}

async function completeChunk(
  store: ClickHouse,
  { window, nowMs }: Pick<LaneFacts, 'window' | 'nowMs'>,
  rows: readonly Answered[],
): Promise<LaneRow[]> {
  const scope = windowScope(window, nowMs);
  const lanes = rows.map(({ lane }) => lane);
  const [shown, liveRows, limits] = await Promise.all([
    store.rows<Answered>(shownSql(store.database, scope), { ...scope.parameters, lanes }),
    readLiveSessions(store, lanes, nowMs),
    readRateLimits(store, lanes, nowMs),
  ]);
  const shownOf = new Map(shown.map((row) => [row.lane, row]));
  return rows.map((row) => ({
    // A lane whose rows went meanwhile has none of anything.
    ...rowOf({ ...NOTHING_SHOWN, ...row, ...shownOf.get(row.lane) }, liveRows.get(row.lane) ?? 0),
    rate_limits: limits.get(row.lane) ?? null,
  }));
}

const NOTHING_SHOWN = Object.fromEntries(SHOWN_COLUMNS.map((name) => [name, 0]));

/** How many sessions of some lanes are live; lanes without one are left out. */
async function readLiveSessions(
  store: ClickHouse,
  lanes: readonly string[],
  nowMs: number,
): Promise<Map<string, number>> {
  const live = rowsSince(nowMs - LIVE_MS, 'live');
  const rows = await store.rows<{ lane: string; sessions: number | string }>(
    `SELECT lane, uniqExact(session) AS sessions FROM ${store.database}.ledger
     WHERE lane IN {lanes:Array(String)} AND ${live.where} AND session != '' GROUP BY lane`,
    { ...live.parameters, lanes },
  );
  return new Map(rows.map(({ lane, sessions }) => [lane, Number(sessions)]));
}

/** Lanes by name, of a reading of facts. Those that are not in it are left out. */
export async function readFactRows(
  store: ClickHouse,
  facts: LaneFacts,
  lanes: readonly string[],
): Promise<Map<string, LaneRow>> {
  const read = (names: readonly string[]): Promise<Answered[]> =>
    store.rows(`SELECT ${ROW_COLUMNS_SQL} FROM ${facts.from} WHERE lane IN {lanes:Array(String)}`, {
      ...facts.parameters,
      lanes: names,
    });
  const rows = (await Promise.all(chunksOf(lanes).map(read))).flat();
  return new Map((await completed(store, facts, rows)).map((row) => [row.lane, row]));
}

/** Lanes by name, with how many of their sessions are live, read for these alone. Those without an event in the scope are left out. */
export async function readLaneRows(
  store: ClickHouse,
  lanes: readonly string[],
  scope: Scope,
  nowMs: number,
): Promise<Map<string, LaneRow>> {
  const parts = await Promise.all(chunksOf(lanes).map((chunk) => readChunk(store, chunk, scope, nowMs)));
  return new Map(parts.flat().map((row) => [row.lane, row]));
}

async function readChunk(store: ClickHouse, lanes: readonly string[], scope: Scope, nowMs: number): Promise<LaneRow[]> {
  const [rows, live, limits] = await Promise.all([
    store.rows<Answered>(laneRowsSql(store.database, scope), { ...scope.parameters, ...lanesParameters(nowMs), lanes }),
    readLiveSessions(store, lanes, nowMs),
    readRateLimits(store, lanes, nowMs),
  ]);
  return rows.map((row) => ({
    ...rowOf(row, live.get(row.lane) ?? 0),
    rate_limits: limits.get(row.lane) ?? null,
  }));
}

function rowOf(row: Answered, liveSessions: number): Omit<LaneRow, 'rate_limits'> {
  const numbers = [...NUMBERS, ...SHOWN_COLUMNS].map((name) => [name, Number(row[name])]);
  const instants = INSTANTS.map((name) => [name, row[`${name}_ms`] === null ? null : Number(row[`${name}_ms`])]);
  return {
    ...row,
    ...Object.fromEntries([...numbers, ...instants]),
    spent: row['spent_usd'],
    live_sessions: liveSessions,
  } as LaneRow;
}

const COUNTS = [
  ...(['event_count', 'retired_count', 'session_count', 'live_sessions', 'user_count', 'endpoint_count'] as const),
  ...(['agent_count', 'repo_count', 'model_count'] as const),
  ...(['sum_input_uncached', 'sum_cache_read', 'sum_cache_write', 'sum_output'] as const),
];

/** A lane that has no event in the window asked for: what it is, without its counts and without what they say of it. Pure. */
export function withoutEvents(row: LaneRow): LaneRow {
  const reasons = row.posture.filter((reason) => reason !== 'shared' && reason !== 'shared_too_broadly');
  return {
    ...row,
    ...Object.fromEntries(COUNTS.map((name) => [name, 0])),
    spent: '0',
    posture: reasons.map((reason) => (/^(revoked|expired)_in_use$/.test(reason) ? 'retired' : reason)),
  };
}

const WINDOW_LABEL: Record<Window, string> = {
  '1h': 'hour',
  '24h': '24 hours',
  '7d': '7 days',
  '30d': '30 days',
  '90d': '90 days',
};

/** A lane as readers see it. Pure. */
export function laneOfRow(row: LaneRow, openFindings: number, window: Window): Lane {
  const { fingerprint, lane_org: org, standing } = row;
  return {
    lane: row.lane,
    fingerprint,
    hint: row.lane_hint,
    standing,
    match: row.match,
    registration: registrationOf({ fingerprint, org }, standing),
    posture: postureOf(row, WINDOW_LABEL[window]),
    credential:
      row.record_sharing === ''
        ? null
        : {
            id: row.record_id,
            name: row.record_name,
            kind: row.record_kind,
            owner: row.record_owner,
            sharing: row.record_sharing,
          },
    org,
    provider: row.lane_provider,
    events: row.event_count,
    retired_events: row.retired_count,
    sessions: row.session_count,
    live_sessions: row.live_sessions,
    users: row.user_count,
    endpoints: row.endpoint_count,
    agents: row.agent_count,
    repos: row.repo_count,
    models: row.model_count,
    cost_usd: row.spent,
    tokens: {
      input_uncached: row.sum_input_uncached,
      cache_read: row.sum_cache_read,
      cache_write: row.sum_cache_write,
      output: row.sum_output,
    },
    first_seen: instantOf(row.first_at),
    last_seen: instantOf(row.last_at),
    open_findings: openFindings,
    rate_limits: row.rate_limits,
  };
}
