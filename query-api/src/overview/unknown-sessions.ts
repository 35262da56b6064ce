import type { ClickHouse } from '../clickhouse.ts';
import type { LaneFacts } from '../lanes/facts.ts';
import { rowsSince, windowScope } from '../ledger/scope.ts';
import { LIVE_MS, windowStartMs } from '../ledger/window.ts';

/** Sessions that used a key while it was unknown, on lanes that are unknown still and were not refused every time. */
export interface UnknownSessions {
  sessions: number;
  live: number;
  /** What the live ones spent in the window, decimal text; and, on a lane that is live without one, its events that name no session. */
  liveSpendUsd: string;
}

/** Rows that met a key as unknown, on lanes that are unknown now. */
const onUnknown = (from: string): string =>
  `standing = 'unknown' AND lane IN (SELECT lane FROM ${from} WHERE is_unknown_in_use)`;

/** How many there are in a window, as SQL. */
export function unknownSessionsSql(
  database: string,
  { window, nowMs, from }: Pick<LaneFacts, 'window' | 'nowMs' | 'from'>,
): string {
  const { where } = windowScope(window, nowMs);
  return `SELECT uniqExactIf(session, session != '') AS sessions FROM ${database}.ledger WHERE ${where} AND ${onUnknown(from)}`;
}

/** Counts the sessions and sums what the live ones spent. */
export async function readUnknownSessions(store: ClickHouse, facts: LaneFacts): Promise<UnknownSessions> {
  const { window, nowMs, from } = facts;
  const live = rowsSince(nowMs - LIVE_MS, 'live');
  const rows = rowsSince(windowStartMs(window, nowMs), 'rows');
  const scope = windowScope(window, nowMs);
  const parameters = { ...facts.parameters, ...scope.parameters, ...live.parameters, ...rows.parameters };
  const [counts] = await store.rows<Record<'sessions' | 'live_sessions' | 'uses', number | string>>(
    `SELECT sum(sessions) AS sessions, sum(running) AS live_sessions, sum(used) AS uses
     FROM (SELECT sessions, toUInt64(0) AS running, toInt64(0) AS used FROM (${unknownSessionsSql(store.database, facts)})
       UNION ALL
       SELECT toUInt64(0), uniqExactIf(session, session != ''), sum(calls) FROM ${store.database}.ledger
       WHERE ${live.where} AND ${onUnknown(from)})`,
    parameters,
  );
  return {
    sessions: Number(counts?.sessions ?? 0),
    live: Number(counts?.live_sessions ?? 0),
    liveSpendUsd: Number(counts?.uses ?? 0) === 0 ? '0' : await readLiveSpend(),
  };

  async function readLiveSpend(): Promise<string> {
    const [spend] = await store.rows<{ cost: string }>(
      `WITH uses AS (SELECT lane, session FROM ${store.database}.ledger
         WHERE ${live.where} AND ${onUnknown(from)} GROUP BY lane, session)
       SELECT toString(sum(cost_usd)) AS cost FROM ${store.database}.ledger
       WHERE ${rows.where} AND ${onUnknown(from)}
         AND (session IN (SELECT session FROM uses WHERE session != '')
           OR session = '' AND lane IN (SELECT lane FROM uses WHERE session = ''))`,
      parameters,
    );
    return spend?.cost ?? '0';
  }
}
