import type { Lane, LaneDetail, Window } from '../../contract/index.ts';
import type { ClickHouse } from '../clickhouse.ts';
import { rowsSince, windowScope } from '../ledger/scope.ts';
import { readTrend } from '../ledger/trend.ts';
import { instantOf, isLive, windowStartMs } from '../ledger/window.ts';
import { namesAsSentUntil, readCanonicalSince } from './names-as-sent.ts';
import { laneOfRow, readLaneRows, withoutEvents } from './rows.ts';
import { ENDPOINT_COLUMN_SQL, ENDPOINT_SQL } from './states.ts';

/** Values shown per topology group; the counts beside them stay complete. */
const NODES_MAX = 50;

type Node = LaneDetail['observed_with']['users'][number];
interface NodeRow {
  value: string;
  events: number | string;
  cost: string;
  first: number | string;
  last: number | string;
}

const NODE_SQL = `count() AS events, toString(sum(cost_usd)) AS cost,
  toUnixTimestamp64Milli(min(seen_at)) AS first, toUnixTimestamp64Milli(max(seen_at)) AS last`;
const WHERE_SQL = `lane = {lane:String} AND ${rowsSince(0).where}`;

const EXPRESSIONS = {
  users: '`user`',
  agents: 'agent',
  models: 'model',
  repos: 'repo',
} as const;

function nodeOf(row: NodeRow): Node {
  return {
    value: row.value,
    events: Number(row.events),
    cost_usd: row.cost,
    first_seen: instantOf(Number(row.first)),
    last_seen: instantOf(Number(row.last)),
  };
}

async function readNodes(
  store: ClickHouse,
  group: keyof typeof EXPRESSIONS,
  parameters: Record<string, unknown>,
): Promise<Node[]> {
  const rows = await store.rows<NodeRow>(
    `SELECT ${EXPRESSIONS[group]} AS value, ${NODE_SQL} FROM ${store.database}.ledger
     WHERE ${WHERE_SQL} AND value != '' GROUP BY value ORDER BY last DESC, value LIMIT ${NODES_MAX}`,
    parameters,
  );
  return rows.map(nodeOf);
}

async function readEndpoints(
  store: ClickHouse,
  parameters: Record<string, unknown>,
): Promise<LaneDetail['observed_with']['endpoints']> {
  const rows = await store.rows<NodeRow & { held_by: 'ip' | 'host' }>(
    `SELECT ${ENDPOINT_SQL} AS value, ${ENDPOINT_COLUMN_SQL} AS held_by, ${NODE_SQL} FROM ${store.database}.ledger
     WHERE ${WHERE_SQL} AND value != '' GROUP BY value, held_by ORDER BY last DESC, value LIMIT ${NODES_MAX}`,
    parameters,
  );
  return rows.map((row) => ({ ...nodeOf(row), column: row.held_by }));
}

async function readSessions(
  store: ClickHouse,
  parameters: Record<string, unknown>,
  nowMs: number,
): Promise<LaneDetail['usage_context']['sessions']> {
  const rows = await store.rows<NodeRow & { latest_user: string; latest_agent: string }>(
    `SELECT session AS value, ${NODE_SQL}, argMax(\`user\`, seen_at) AS latest_user, argMax(agent, seen_at) AS latest_agent
     FROM ${store.database}.ledger WHERE ${WHERE_SQL} AND session != ''
     GROUP BY value ORDER BY last DESC, value LIMIT ${NODES_MAX}`,
    parameters,
  );
  return rows.map((row) => ({
    ...nodeOf(row),
    user: row.latest_user,
    agent: row.latest_agent,
    live: isLive(Number(row.last), nowMs),
  }));
}

/** When the ledger saw a lane first, epoch milliseconds; from the roll-up, because a lane may have millions of rows. */
export const firstSeenSql = (database: string): string =>
  `SELECT toUnixTimestamp64Milli(min(seen_at)) AS first FROM ${database}.ledger WHERE lane = {lane:String}`;

/** What can be done about a lane's key from here. Pure. */
function actionsOf(lane: Lane): LaneDetail['response_path']['credential_actions'] {
  if (lane.registration === 'helps') return ['register'];
  return lane.standing === 'revoked' || lane.credential === null ? [] : ['revoke'];
}

/** One lane in a window; where it has no events there, its counts are zero and its instants those of all time. Null: no event ever. */
export async function readLane(
  store: ClickHouse,
  lane: string,
  openFindings: number,
  window: Window,
  nowMs: number,
): Promise<Lane | null> {
  const inWindow = (await readLaneRows(store, [lane], windowScope(window, nowMs), nowMs)).get(lane);
  if (inWindow !== undefined) return laneOfRow(inWindow, openFindings, window);
  const ever = (await readLaneRows(store, [lane], { where: '1', parameters: {} }, nowMs)).get(lane);
  return ever === undefined ? null : laneOfRow(withoutEvents(ever), openFindings, window);
}

/** The four topology groups and the trend of one lane. */
export async function readLaneDetail(
  store: ClickHouse,
  input: {
    lane: Lane;
    comparables: LaneDetail['known_comparables'];
    findings: LaneDetail['response_path']['findings'];
    window: Window;
    nowMs: number;
  },
): Promise<LaneDetail> {
  const { lane, comparables, findings, window, nowMs } = input;
  const fromMs = windowStartMs(window, nowMs);
  const parameters = { lane: lane.lane, ...rowsSince(fromMs).parameters };
  const [users, endpoints, agents, models, repos, sessions, trend, canonicalSinceMs, [ever]] = await Promise.all([
    readNodes(store, 'users', parameters),
    readEndpoints(store, parameters),
    readNodes(store, 'agents', parameters),
    readNodes(store, 'models', parameters),
    readNodes(store, 'repos', parameters),
    readSessions(store, parameters, nowMs),
    readTrend(store, window, nowMs, lane.lane),
    readCanonicalSince(store),
    store.rows<{ first: number | string }>(firstSeenSql(store.database), { lane: lane.lane }),
  ]);
  const firstSeenEver = ever === undefined ? lane.first_seen : instantOf(Number(ever.first));
  return {
    ...lane,
    window,
    from: instantOf(fromMs),
    // A clock of another machine may be ahead of ours, and rows may have come while these were read.
    to: instantOf(Math.max(nowMs, Date.parse(lane.last_seen) + 1)),
    first_seen_ever: firstSeenEver,
    names_as_sent_until: namesAsSentUntil(canonicalSinceMs, fromMs, Date.parse(firstSeenEver)),
    observed_with: { users, endpoints, agents },
    usage_context: { models, repos, sessions },
    known_comparables: comparables,
    response_path: { findings, credential_actions: actionsOf(lane) },
    // Not split by standing: one lane's rows mostly have one.
    trend: trend.map(({ at, events, cost_usd }) => ({ at, events, cost_usd })),
  };
}
