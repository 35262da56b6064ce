import type { CollectorHealth, Lane, LaneDetail, LedgerItem, Overview, Window } from '@lanewatch/query-api/contract';
import { bounds, distinct, inWindow, isLive, lanesOf, sum, trendOf } from './lanes.ts';
import type { Organisation } from './organisation.ts';

/** Answers of the fake query-api about lanes. */

/** Lanes that query-api's banner names. */
const BANNER_LANES_MAX = 10;
/** Values that query-api lists per topology group. */
const NODES_MAX = 50;

function collectorsOf(org: Organisation, nowMs: number): CollectorHealth[] {
  const keys = org.credentials.filter((credential) => credential.may_ship_events);
  const ids = new Set([...keys.map(({ id }) => id), ...org.rows.map(({ collector }) => collector)]);
  return [...ids].map((collector) => {
    const credential = keys.find(({ id }) => id === collector);
    const own = org.rows.filter((row) => row.collector === collector);
    const last = own[0]?.received_at ?? null;
    const repeated = Math.floor(own.length / 200);
    const silent = last !== null && nowMs - Date.parse(last) > 5 * 60_000;
    return {
      collector,
      name: credential?.name ?? collector,
      hint: credential?.hint ?? '',
      registered: credential !== undefined,
      state: credential?.status === 'revoked' ? 'revoked' : last === null ? 'never' : silent ? 'silent' : 'reporting',
      last_received_at: last,
      accepted: own.length + repeated,
      rejected: 0,
      ignored: 4 * repeated,
      redacted: 0,
      stored: own.length,
      duplicates: repeated,
      dead_lettered: 0,
      moved: 0,
      moved_sources: [],
      in_flight: 0,
    };
  });
}

/** Revoked or expired, and used as such. */
const isRetired = (lane: Lane) => ['revoked', 'expired'].includes(lane.standing) && lane.retired_events > 0;

function primaryOrgOf(lanes: readonly Lane[]): string {
  const orgs = [...Map.groupBy(lanes, ({ org }) => org)].filter(([org]) => org !== '');
  return orgs.sort(([, a], [, b]) => b.length - a.length)[0]?.[0] ?? '';
}

export function overviewOf(org: Organisation, window: Window, nowMs: number): Overview {
  const rows = inWindow(org.rows, window, nowMs);
  const lanes = lanesOf(org, window, nowMs);
  const unknownLanes = new Set(lanes.filter((lane) => lane.standing === 'unknown').map((lane) => lane.lane));
  const unknownRows = rows.filter((row) => row.standing === 'unknown' && unknownLanes.has(row.lane));
  const useOf = (row: LedgerItem) => row.session || row.lane;
  const liveUses = new Set(unknownRows.filter((row) => isLive(row, nowMs)).map(useOf));
  const withReason = (reason: string) =>
    lanes.filter(({ posture }) => posture.some((one) => one.reason === reason)).length;
  const open = (severity: string) =>
    org.findings.filter((one) => one.status !== 'resolved' && one.status !== 'snoozed' && one.severity === severity)
      .length;
  return {
    window,
    ...bounds(window, nowMs),
    keys_observed: lanes.filter((lane) => lane.lane !== 'unattributed').length,
    primary_org: primaryOrgOf(lanes),
    known_lanes: lanes.filter((lane) => lane.standing === 'known').length,
    unknown_lanes: unknownLanes.size,
    refused_lanes: withReason('refused'),
    doubtful_lanes: lanes.filter((lane) => lane.standing === 'ambiguous').length + lanes.filter(isRetired).length,
    retired_lanes: lanes.filter(isRetired).length,
    shared_lanes: lanes.filter((lane) => lane.users > 1).length,
    overshared_lanes: withReason('shared_too_broadly'),
    weakly_governed_lanes: withReason('weakly_governed'),
    unknown_key_sessions: distinct(unknownRows, 'session').length,
    live_unknown_sessions: distinct(
      unknownRows.filter((row) => isLive(row, nowMs)),
      'session',
    ).length,
    live_unknown_spend_usd: sum(unknownRows.filter((row) => liveUses.has(useOf(row)))),
    unattributed_events: rows.filter((row) => row.lane === 'unattributed').length,
    events: rows.length,
    cost_usd: sum(rows),
    open_findings: { low: open('low'), medium: open('medium'), high: open('high'), critical: open('critical') },
    banner: lanes
      .filter((lane) => lane.standing === 'unknown' || isRetired(lane))
      .sort((a, b) => b.live_sessions - a.live_sessions || b.last_seen.localeCompare(a.last_seen))
      .slice(0, BANNER_LANES_MAX)
      .map((lane) => {
        const newest = rows.find((row) => row.lane === lane.lane) as LedgerItem;
        return {
          lane: lane.lane,
          hint: lane.hint,
          org: lane.org,
          standing: lane.standing,
          registration: lane.registration,
          session: newest.session,
          session_live: lane.live_sessions > 0,
          user: newest.user,
          ip: newest.ip,
          agent: newest.agent,
          agent_version: newest.agent_version,
          model: newest.model,
          cost_usd: lane.cost_usd,
          session_cost_usd: sum(rows.filter((row) => row.lane === lane.lane && row.session === newest.session)),
          last_seen: lane.last_seen,
        };
      }),
    trend: trendOf(rows, window, nowMs),
    count_trend: [0, 1].map((share) => ({
      ...{ at: new Date(nowMs - 86_400_000 * (1 - share)).toISOString(), keys: share * lanes.length },
      ...{ unknown_lanes: share * unknownLanes.size, shared_lanes: 1, weakly_governed_lanes: share },
      unknown_key_sessions: share,
    })),
    collectors: collectorsOf(org, nowMs),
    last_stored_at: org.rows.reduce<string | null>(
      (last, row) => (last === null || row.stored_at > last ? row.stored_at : last),
      null,
    ),
  };
}

function actionsOf(lane: Lane): LaneDetail['response_path']['credential_actions'] {
  if (lane.credential === null) return lane.registration === 'helps' ? ['register'] : [];
  return lane.standing === 'revoked' ? [] : ['revoke'];
}

/** A lane without events in the window: its counts are zero, its instants those of all time. */
function restingLane(org: Organisation, laneId: string, nowMs: number): Lane | undefined {
  const ever = lanesOf({ ...org, rows: org.rows.filter(({ lane }) => lane === laneId) }, 'ever', nowMs)[0];
  const none = { input_uncached: 0, cache_read: 0, cache_write: 0, output: 0 };
  const counts = { events: 0, retired_events: 0, sessions: 0, live_sessions: 0, users: 0, endpoints: 0, agents: 0 };
  return ever && { ...ever, ...counts, repos: 0, models: 0, cost_usd: '0', tokens: none };
}

export function laneDetailOf(org: Organisation, laneId: string, window: Window, nowMs: number): LaneDetail | undefined {
  const lanes = lanesOf(org, window, nowMs);
  const lane = lanes.find((one) => one.lane === laneId) ?? restingLane(org, laneId, nowMs);
  if (!lane) return undefined;
  const own = inWindow(org.rows, window, nowMs).filter((row) => row.lane === laneId);
  const nodeOf = (value: string, rows: readonly LedgerItem[]) => ({
    value,
    events: rows.length,
    cost_usd: sum(rows),
    first_seen: rows.at(-1)?.seen_at ?? '',
    last_seen: rows[0]?.seen_at ?? '',
  });
  const nodes = (column: 'user' | 'agent' | 'model' | 'repo') =>
    distinct(own, column)
      .slice(0, NODES_MAX)
      .map((value) =>
        nodeOf(
          value,
          own.filter((row) => row[column] === value),
        ),
      );
  const endpointRows = Map.groupBy(
    own.filter((row) => row.ip !== '' || row.host !== ''),
    (row) => JSON.stringify(row.ip !== '' ? ['ip', row.ip] : ['host', row.host]),
  );
  const endpoints = [...endpointRows].slice(0, NODES_MAX).map(([key, rows]) => {
    const [column, value] = JSON.parse(key) as ['ip' | 'host', string];
    return { ...nodeOf(value, rows), column };
  });
  return {
    ...lane,
    window,
    ...bounds(window, nowMs),
    names_as_sent_until: null,
    first_seen_ever: org.rows.findLast((row) => row.lane === laneId)?.seen_at ?? lane.first_seen,
    observed_with: { users: nodes('user'), endpoints, agents: nodes('agent') },
    usage_context: {
      models: nodes('model'),
      repos: nodes('repo'),
      sessions: distinct(own, 'session')
        .slice(0, NODES_MAX)
        .map((session) => {
          const rows = own.filter((row) => row.session === session);
          const { user, agent } = rows[0] as LedgerItem;
          return { ...nodeOf(session, rows), user, agent, live: isLive(rows[0] as LedgerItem, nowMs) };
        }),
    },
    known_comparables: lanes
      .filter((one) => one.standing === 'known' && one.lane !== laneId)
      .map((one) => ({
        lane: one.lane,
        hint: one.hint,
        name: one.credential?.name ?? '',
        standing: one.standing,
        sessions: one.sessions,
        cost_usd: one.cost_usd,
        same: [{ what: 'provider' as const, value: 'anthropic' }],
        differs: one.org === lane.org || one.org === '' ? [] : [{ what: 'org' as const, value: one.org }],
      })),
    response_path: {
      findings: org.findings
        .filter((one) => one.lane === laneId)
        .map(({ id, rule, title, severity, status }) => ({ id, rule, title, severity, status })),
      credential_actions: actionsOf(lane),
    },
    trend: trendOf(own, window, nowMs).map(({ at, events, cost_usd }) => ({ at, events, cost_usd })),
  };
}
