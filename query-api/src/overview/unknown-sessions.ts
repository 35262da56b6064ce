import type { Window } from '../../contract/index.ts';
import type { ClickHouse } from '../clickhouse.ts';
import { lanesParameters, standingsSql } from '../lanes/states.ts';
import { rowsSince, windowScope } from '../ledger/scope.ts';
import { LIVE_MS, windowStartMs } from '../ledger/window.ts';

/** Sessions that used a key while it was unknown, on lanes that are unknown still. */
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
    WHERE ${where} AND standing = 'unknown' AND lane IN (${unknownLanesSql(database, where)})`;
}

function unknownLanesSql(database: string, where: string): string {
  return `SELECT lane FROM (${standingsSql(database, { where })}) WHERE standing = 'unknown'`;
}

/** Counts the sessions and sums what the live ones spent. */
export async function readUnknownSessions(store: ClickHouse, window: Window, nowMs: number): Promise<UnknownSessions> {
  const scope = windowScope(window, nowMs);
  const live = rowsSince(nowMs - LIVE_MS, 'live');
  const rows = rowsSince(windowStartMs(window, nowMs), 'rows');
  const unknown = unknownLanesSql(store.database, scope.where);
  const parameters = { ...scope.parameters, ...live.parameters, ...rows.parameters, ...lanesParameters(nowMs) };
  const [[all], liveUses] = await Promise.all([
    store.rows<{ sessions: number | string }>(unknownSessionsSql(store.database, window, nowMs), parameters),
    store.rows<{ sessions: number | string; uses: number | string }>(
      `SELECT uniqExactIf(session, session != '') AS sessions, count() AS uses FROM ${store.database}.ledger
       WHERE ${live.where} AND standing = 'unknown' AND lane IN (${unknown})`,
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
         WHERE ${live.where} AND standing = 'unknown' AND lane IN (${unknown}) GROUP BY lane, session)
       SELECT toString(sum(cost_usd)) AS cost FROM ${store.database}.ledger
       WHERE ${rows.where} AND standing = 'unknown'
         AND (session IN (SELECT session FROM uses WHERE session != '') AND lane IN (${unknown})
           OR session = '' AND lane IN (SELECT lane FROM uses WHERE session = ''))`,
      parameters,
    );
    return spend?.cost ?? '0';
  }
}
