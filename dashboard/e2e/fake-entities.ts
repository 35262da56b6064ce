import * as contract from '@lanewatch/query-api/contract';
import type {
  Entity,
  EntityDetail,
  EntityKind,
  EntityNode,
  LedgerItem,
  Session,
  Window,
} from '@lanewatch/query-api/contract';
import { page } from './fake-lists.ts';
import { found } from './fake-registry.ts';
import { bounds, inWindow, isLive, lanesOf, sum, trendOf } from './lanes.ts';
import type { Organisation } from './organisation.ts';

/** `GET /v1/entities/…` and `/v1/sessions/…`, computed from the organisation's rows. */

const valueOf = (kind: EntityKind, row: LedgerItem) => (kind === 'endpoint' ? row.ip || row.host : row[kind]);
const failed = (rows: readonly LedgerItem[]) => rows.filter(({ outcome }) => outcome !== 'success').length;
const distinct = (rows: readonly LedgerItem[], of: (row: LedgerItem) => string) =>
  new Set(rows.map(of).filter((value) => value !== ''));

function countsOf(rows: readonly LedgerItem[]) {
  return { events: rows.length, failed_events: failed(rows), cost_usd: sum(rows) };
}

function lanesUsed(org: Organisation, rows: readonly LedgerItem[], window: Window, nowMs: number) {
  const used = distinct(rows, ({ lane }) => (lane === 'unattributed' ? '' : lane));
  return lanesOf(org, window, nowMs).filter(({ lane }) => used.has(lane));
}

export function entitiesPage(
  org: Organisation,
  kind: EntityKind,
  query: contract.EntitiesQuery,
  nowMs: number,
): contract.EntitiesPage {
  const { from, to } = bounds(query.window, nowMs);
  const rows = inWindow(org.rows, query.window, nowMs);
  const before = new Set(org.rows.filter(({ seen_at }) => seen_at < from).map((row) => valueOf(kind, row)));
  const items = [...Map.groupBy(rows, (row) => valueOf(kind, row))].map(([value, own]): Entity => {
    const lanes = lanesUsed(org, own, query.window, nowMs);
    const [newest] = own as [LedgerItem];
    const { user, agent, repo, model } = newest;
    return {
      value,
      ...countsOf(own),
      keys: lanes.length,
      unknown_keys: lanes.filter(({ standing }) => standing === 'unknown').length,
      lanes: lanes.slice(0, 3).map(({ lane, hint, standing }) => ({ lane, hint, standing })),
      users: distinct(own, (row) => row.user).size,
      sessions: distinct(own, ({ session }) => session).size,
      latest: { user, agent, repo, model },
      first_seen: own.at(-1)?.seen_at ?? newest.seen_at,
      last_seen: newest.seen_at,
      is_new: !before.has(value),
      is_live: isLive(newest, nowMs),
    };
  });
  const fitting = items
    .filter(({ value }) => value.toLowerCase().includes(query.q?.toLowerCase() ?? ''))
    .filter(({ is_new }) => query.new === undefined || is_new === query.new)
    .filter(({ unknown_keys }) => query.unknown === undefined || unknown_keys > 0 === query.unknown);
  return contract.entitiesPageSchema.parse({
    ...page(fitting, query),
    ...{ window: query.window, from, to, is_complete: true },
  });
}

const nodeOf = (value: string, rows: readonly LedgerItem[]): EntityNode => ({
  value,
  events: rows.length,
  cost_usd: sum(rows),
  first_seen: rows.at(-1)?.seen_at ?? '',
  last_seen: rows[0]?.seen_at ?? '',
});

export function entityDetail(
  org: Organisation,
  kind: EntityKind,
  value: string,
  window: Window,
  nowMs: number,
): EntityDetail {
  const ever = org.rows.filter((row) => valueOf(kind, row) === value);
  const [newest] = ever;
  found(newest);
  const rows = inWindow(ever, window, nowMs);
  const lanes = lanesUsed(org, rows, window, nowMs);
  return contract.entityDetailSchema.parse({
    ...{ kind, value, window, ...bounds(window, nowMs), is_complete: true },
    ...countsOf(rows),
    keys: lanes.length,
    unknown_keys: lanes.filter(({ standing }) => standing === 'unknown').length,
    first_seen_ever: ever.at(-1)?.seen_at,
    last_seen_ever: newest?.seen_at,
    is_new: false,
    is_live: newest !== undefined && isLive(newest, nowMs),
    lanes: lanes.map(({ lane, hint, standing, org: laneOrg, posture }) => ({
      ...{ lane, hint, standing, org: laneOrg, posture },
      ...nodeOf(
        '',
        rows.filter((row) => row.lane === lane),
      ),
    })),
    groups: contract.ENTITY_KINDS.filter((other) => other !== kind).map((other) => ({
      kind: other,
      total: distinct(rows, (row) => valueOf(other, row)).size,
      nodes: [...Map.groupBy(rows, (row) => valueOf(other, row))].slice(0, 20).map(([one, own]) => nodeOf(one, own)),
    })),
    trend: trendOf(rows, window, nowMs),
  });
}

export function sessionOf(
  org: Organisation,
  session: string,
  query: { limit: number; cursor?: string | undefined },
  nowMs: number,
): Session {
  const rows = org.rows.filter((row) => row.session === session).toReversed();
  const [first] = rows;
  const last = rows.at(-1);
  found(first);
  const part = (of: (row: LedgerItem) => string) =>
    [...Map.groupBy(rows, of)].map(([value, own]) => ({ value, ...countsOf(own) }));
  const states = lanesOf(org, '90d', nowMs);
  return contract.sessionSchema.parse({
    session,
    ...countsOf(rows),
    tokens: { input_uncached: 10, cache_read: 20, cache_write: 3, output: 4 },
    first_seen: first?.seen_at,
    last_seen: last?.seen_at,
    is_live: last !== undefined && isLive(last, nowMs),
    users: part(({ user }) => user),
    endpoints: part((row) => valueOf('endpoint', row)),
    agents: part(({ agent }) => agent),
    models: part(({ model }) => model),
    repos: part(({ repo }) => repo),
    orgs: part((row) => row.org),
    outcomes: part(({ outcome }) => outcome),
    lanes: [...Map.groupBy(rows, ({ lane }) => lane)].map(([lane, own]) => ({
      ...{ lane, hint: own[0]?.hint, ...countsOf(own), first_seen: own[0]?.seen_at, last_seen: own.at(-1)?.seen_at },
      standing: states.find((one) => one.lane === lane)?.standing,
      ...{ before: null, after: null },
    })),
    key_changes: rows.flatMap((row, index) => {
      const previous = rows[index - 1];
      return previous === undefined || previous.lane === row.lane
        ? []
        : [{ at: row.seen_at, from_lane: previous.lane, to_lane: row.lane }];
    }),
    axis: {
      step_ms: 60_000,
      steps: [
        ...Map.groupBy(
          rows,
          (row) => `${Math.floor((Date.parse(row.seen_at) - Date.parse(first?.seen_at ?? '')) / 60_000)} ${row.lane}`,
        ),
      ].map(([key, own]) => ({ step: Number(key.split(' ')[0]), lane: key.split(' ')[1], ...countsOf(own) })),
    },
    calls: page(rows, query),
  });
}
