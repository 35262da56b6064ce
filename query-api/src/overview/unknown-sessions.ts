import type { Window } from '../../contract/index.ts';
import type { ClickHouse } from '../clickhouse.ts';
import { dollarsOf, nanoOf } from '../money.ts';
import { isLive, windowStartMs } from '../window.ts';

/** Sessions that used a key while it was unknown, on lanes that are unknown still. */
export interface UnknownSessions {
  sessions: number;
  live: number;
  /** What the live ones spent in the window, decimal text. */
  liveSpendUsd: string;
}

/**
 * Reads the sessions with an event of standing unknown, one row per lane and session, and keeps those whose lane
 * `isUnknown` now. The pairs come to us, not the lanes to the engine: with many unknown lanes their names would not fit
 * into a request.
 */
export async function readUnknownSessions(
  store: ClickHouse,
  window: Window,
  nowMs: number,
  isUnknown: (lane: string) => boolean,
): Promise<UnknownSessions> {
  const sessions = new Map<string, { lastMs: number; nano: bigint }>();
  await store.stream<{ lane: string; session: string; last: number | string; cost: string }>(
    `SELECT lane, session, toUnixTimestamp64Milli(max(seen_at)) AS last, toString(sum(cost_usd)) AS cost
     FROM ${store.database}.ledger
     WHERE standing = 'unknown' AND session != '' AND seen_at >= fromUnixTimestamp64Milli({from:Int64}, 'UTC')
     GROUP BY lane, session`,
    { from: windowStartMs(window, nowMs) },
    (row) => {
      if (!isUnknown(row.lane)) return;
      const held = sessions.get(row.session) ?? { lastMs: 0, nano: 0n };
      sessions.set(row.session, {
        lastMs: Math.max(held.lastMs, Number(row.last)),
        nano: held.nano + nanoOf(row.cost),
      });
    },
  );
  let live = 0;
  let liveNano = 0n;
  for (const { lastMs, nano } of sessions.values()) {
    if (!isLive(lastMs, nowMs)) continue;
    live++;
    liveNano += nano;
  }
  return { sessions: sessions.size, live, liveSpendUsd: dollarsOf(liveNano) };
}
