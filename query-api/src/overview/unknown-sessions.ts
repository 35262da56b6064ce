import type { Window } from '../../contract/index.ts';
import type { ClickHouse } from '../clickhouse.ts';
import { lanesParameters, standingsSql } from '../lanes/states.ts';
import { rowsSince, windowScope } from '../ledger/scope.ts';
import type { Scope } from '../ledger/scope.ts';
import { LIVE_MS, windowStartMs } from '../ledger/window.ts';

/** Sessions that used a key while it was unknown, on lanes that are unknown still and were not refused every time. */
export interface UnknownSessions {
  sessions: number;
  live: number;
  /** What the live ones spent in the window, decimal text; and, on a lane that is live without one, its events that name no session. */
  liveSpendUsd: string;
}

/** How many there are in a window, as SQL. */
export function unknownSessionsSql(database: string, window: Window, nowMs: number): string {
  const { where } = windowScope(window, nowMs);
  return `SELECT uniqExactIf(session, session != '') AS sessions FROM ${database}.ledger
    WHERE ${where} AND standing = 'unknown' AND lane IN (${metLanesSql(database, { where }, { where })})`;
}

/** Lanes in a scope that are unknown now, of those with a row of standing unknown in another. */
function metLanesSql(database: string, scope: Pick<Scope, 'where'>, { where }: Pick<Scope, 'where'>): string {
  const met = `SELECT lane FROM ${database}.ledger WHERE ${where} AND standing = 'unknown' GROUP BY lane`;
  return `SELECT lane FROM (${standingsSql(database, scope, met)}) WHERE standing = 'unknown' AND NOT is_refused`;
}

/** Counts the sessions and sums what the live ones spent. */
export async function readUnknownSessions(store: ClickHouse, window: Window, nowMs: number): Promise<UnknownSessions> {
  const scope = windowScope(window, nowMs);
  const live = rowsSince(nowMs - LIVE_MS, 'live');
  const rows = rowsSince(windowStartMs(window, nowMs), 'rows');
  const liveNow = metLanesSql(store.database, scope, live);
  const parameters = { ...scope.parameters, ...live.parameters, ...rows.parameters, ...lanesParameters(nowMs) };
  const [[all], liveUses] = await Promise.all([
    store.rows<{ sessions: number | string }>(unknownSessionsSql(store.database, window, nowMs), parameters),
    store.rows<{ sessions: number | string; uses: number | string }>(
      `SELECT uniqExactIf(session, session != '') AS sessions, sum(calls) AS uses FROM ${store.database}.ledger
       WHERE ${live.where} AND standing = 'unknown' AND lane IN (${liveNow})`,
      parameters,
    ),
  ]);
  const [{ sessions = 0, uses = 0 } = {}] = liveUses;
  return {
    sessions: Number(all?.sessions ?? 0),
    live: Number(sessions),
    liveSpendUsd: Number(uses) === 0 ? '0' : await readLiveSpend(),
  };

  async function readLiveSpend(): Promise<string> {
    const [spend] = await store.rows<{ cost: string }>(
      `WITH uses AS (SELECT lane, session FROM ${store.database}.ledger
         WHERE ${live.where} AND standing = 'unknown' AND lane IN (${liveNow}) GROUP BY lane, session)
       SELECT toString(sum(cost_usd)) AS cost FROM ${store.database}.ledger
       WHERE ${rows.where} AND standing = 'unknown'
         AND (session IN (SELECT session FROM uses WHERE session != '') AND lane IN (${metLanesSql(store.database, scope, scope)})
           OR session = '' AND lane IN (SELECT lane FROM uses WHERE session = ''))`,
      parameters,
    );
    return spend?.cost ?? '0';
  }
}
