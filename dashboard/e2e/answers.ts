import type {
  CollectorHealth,
  CredentialItem,
  Lane,
  LaneDetail,
  LedgerItem,
  Overview,
  Standing,
  Window,
} from '@lanewatch/query-api/contract';
import { decimal, type Organisation } from './organisation.ts';

/** Answers computed from the organisation's rows, so that the numbers on a page agree with the rows behind them. */

const HOUR_MS = 3_600_000;
const LIVE_MS = 30 * 60_000;
/** Lanes that query-api's banner names. */
const BANNER_LANES_MAX = 10;
/** Values that query-api lists per topology group. */
const NODES_MAX = 50;
/** `ever` is none that can be asked for. */
type Span = Window | 'ever';
const WINDOW_HOURS: Record<Span, number> = { '1h': 1, '24h': 24, '7d': 168, '30d': 720, '90d': 2160, ever: 200_000 };

const nano = (dollars: string) => BigInt(dollars.replace('.', ''));
export const sum = (rows: readonly LedgerItem[]) =>
  decimal(rows.reduce((total, row) => total + nano(row.cost_usd), 0n));
const distinct = (rows: readonly LedgerItem[], column: 'user' | 'agent' | 'repo' | 'model' | 'session' | 'lane') =>
  [...new Set(rows.map((row) => row[column]))].filter((value) => value !== '');

/** Bounds of a window: from a full hour on, to now. */
function bounds(window: Span, nowMs: number): { from: string; to: string } {
  const startMs = Math.floor((nowMs - WINDOW_HOURS[window] * HOUR_MS) / HOUR_MS) * HOUR_MS;
  return { from: new Date(startMs).toISOString(), to: new Date(nowMs + 1000).toISOString() };
}

const inWindow = (rows: readonly LedgerItem[], window: Span, nowMs: number) => {
  const { from, to } = bounds(window, nowMs);
  return rows.filter((row) => row.seen_at >= from && row.seen_at < to);
};
const isLive = (row: LedgerItem, nowMs: number) => nowMs - Date.parse(row.seen_at) < LIVE_MS;

/** How a lane stands now: by the registry as it is. */
function standingNow(row: LedgerItem, credential: CredentialItem | undefined): Standing {
  if (!credential) return row.standing as Standing;
  return credential.status === 'active' ? 'known' : credential.status;
}

const weakFactsOf = ({ owner, expires_at, environment }: CredentialItem) => [
  ...(owner === '' ? ['no owner'] : []),
  ...(expires_at === null ? ['no expiry'] : []),
  ...(environment === '' ? ['no environment'] : []),
];

export function lanesOf(org: Organisation, window: Span, nowMs: number): Lane[] {
  const rows = inWindow(org.rows, window, nowMs);
  return distinct(rows, 'lane').map((lane): Lane => {
    const own = rows.filter((row) => row.lane === lane);
    const newest = own[0] as LedgerItem;
    const credential = org.credentials.find((one) => one.fingerprint === newest.fingerprint);
    const users = distinct(own, 'user').length;
    const tokens = (column: 'tokens_input_uncached' | 'tokens_cache_read' | 'tokens_cache_write' | 'tokens_output') =>
      own.reduce((total, row) => total + row[column], 0);
    const standing = standingNow(newest, credential);
    const retiredEvents = own.filter((row) => row.standing === 'revoked' || row.standing === 'expired').length;
    const posture: Lane['posture'] = [];
    if (standing === 'unknown') posture.push({ reason: 'unknown_key', text: 'The key is not in the allowlist.' });
    if (standing === 'revoked')
      posture.push({ reason: 'revoked_in_use', text: `Revoked ${credential?.revoked_at}; used after.` });
    if (standing === 'expired') posture.push({ reason: 'expired_in_use', text: 'Used after it expired.' });
    if (standing === 'ambiguous')
      posture.push({ reason: 'ambiguous_hint', text: 'Two registered keys share this hint.' });
    const declared = credential?.sharing === 'personal' ? 1 : (credential?.people_declared ?? Infinity);
    const reason = users > declared ? 'shared_too_broadly' : 'shared';
    if (users > 1) posture.push({ reason, text: `${users} people used it within the window.` });
    const weak = credential ? weakFactsOf(credential) : [];
    if (weak.length > 1) posture.push({ reason: 'weakly_governed', text: `${weak.join(', ').replace('no', 'No')}.` });
    return {
      lane,
      fingerprint: newest.fingerprint,
      hint: newest.hint,
      standing,
      match: credential ? 'proven' : (newest.match as Lane['match']),
      registration: credential ? 'not_needed' : newest.fingerprint === '' ? 'needs_fingerprint' : 'helps',
      posture,
      credential: credential
        ? {
            id: credential.id,
            name: credential.name,
            kind: credential.kind,
            owner: credential.owner,
            sharing: credential.sharing,
          }
        : null,
      org: newest.org,
      provider: newest.provider,
      events: own.length,
      retired_events: retiredEvents,
      sessions: distinct(own, 'session').length,
      live_sessions: distinct(
        own.filter((row) => isLive(row, nowMs)),
        'session',
      ).length,
      users,
      endpoints: new Set(own.map((row) => row.ip || row.host).filter(Boolean)).size,
      agents: distinct(own, 'agent').length,
      repos: distinct(own, 'repo').length,
      models: distinct(own, 'model').length,
      cost_usd: sum(own),
      tokens: {
        input_uncached: tokens('tokens_input_uncached'),
        cache_read: tokens('tokens_cache_read'),
        cache_write: tokens('tokens_cache_write'),
        output: tokens('tokens_output'),
      },
      first_seen: own.at(-1)?.seen_at ?? newest.seen_at,
      last_seen: newest.seen_at,
      open_findings: org.findings.filter((finding) => finding.lane === lane && finding.status !== 'resolved').length,
    };
  });
}

function trendOf(rows: readonly LedgerItem[], window: Window, nowMs: number): Overview['trend'] {
  const stepMs = window === '1h' || window === '24h' ? HOUR_MS : 24 * HOUR_MS;
  const startMs = Date.parse(bounds(window, nowMs).from);
  const endMs = (Math.floor(nowMs / HOUR_MS) + 1) * HOUR_MS;
  const count = Math.floor((endMs - startMs) / stepMs);
  const starts = Array.from({ length: count }, (_, index) =>
    index === 0 ? startMs : endMs - (count - index) * stepMs,
  );
  return starts.map((atMs, index) => {
    const own = rows.filter((row) => {
      const seenMs = Date.parse(row.seen_at);
      return seenMs >= atMs && seenMs < (starts[index + 1] ?? Infinity);
    });
    return {
      at: new Date(atMs).toISOString(),
      events: own.length,
      cost_usd: sum(own),
      unknown_cost_usd: sum(own.filter((row) => row.standing === 'unknown')),
    };
  });
}

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
    org.findings.filter((one) => one.status !== 'resolved' && one.severity === severity).length;
  return {
    window,
    ...bounds(window, nowMs),
    keys_observed: lanes.filter((lane) => lane.lane !== 'unattributed').length,
    primary_org: primaryOrgOf(lanes),
    known_lanes: lanes.filter((lane) => lane.standing === 'known').length,
    unknown_lanes: unknownLanes.size,
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
