import type { Window } from '../../contract/index.ts';
import type { ClickHouse } from '../clickhouse.ts';
import { dollarsOf, nanoOf } from '../ledger/money.ts';
import { isLive, windowStartMs } from '../ledger/window.ts';

/** Sessions that used a key while it was unknown, on lanes that are unknown still. */
export interface UnknownSessions {
  sessions: number;
  live: number;
  /** What the live ones spent in the window, decimal text; and, on a lane that is live without one, its events that name no session. */
  liveSpendUsd: string;
}

/** A session on a lane with events of standing unknown, or all those of the lane that name no session: '' then. */
export interface UnknownUse {
  lane: string;
  session: string;
  lastMs: number;
  /** Spent by those events, decimal text. */
  costUsd: string;
}

/**
 * Reads the uses with an event of standing unknown, one per lane and session. All of them, whatever their lanes are now:
 * with many unknown lanes their names would not fit into a request.
 */
export async function readUnknownUses(store: ClickHouse, window: Window, nowMs: number): Promise<UnknownUse[]> {
  const uses: UnknownUse[] = [];
  await store.stream<{ lane: string; session: string; last: number | string; cost: string }>(
    `SELECT lane, session, toUnixTimestamp64Milli(max(seen_at)) AS last, toString(sum(cost_usd)) AS cost
     FROM ${store.database}.ledger
     WHERE standing = 'unknown' AND seen_at >= fromUnixTimestamp64Milli({from:Int64}, 'UTC')
     GROUP BY lane, session`,
    { from: windowStartMs(window, nowMs) },
    ({ lane, session, last, cost }) => uses.push({ lane, session, lastMs: Number(last), costUsd: cost }),
  );
  return uses;
}

/** Counts the sessions whose lane `isUnknown` now. Pure. */
export function unknownSessionsOf(
  uses: readonly UnknownUse[],
  nowMs: number,
  isUnknown: (lane: string) => boolean,
): UnknownSessions {
  const sessions = new Map<string, { lastMs: number; nano: bigint }>();
  let liveNano = 0n;
  for (const { lane, session, lastMs, costUsd } of uses) {
    if (!isUnknown(lane)) continue;
    if (session === '') {
      if (isLive(lastMs, nowMs)) liveNano += nanoOf(costUsd);
      continue;
    }
    const held = sessions.get(session) ?? { lastMs: 0, nano: 0n };
    sessions.set(session, { lastMs: Math.max(held.lastMs, lastMs), nano: held.nano + nanoOf(costUsd) });
  }
  let live = 0;
  for (const { lastMs, nano } of sessions.values()) {
    if (!isLive(lastMs, nowMs)) continue;
    live++;
    liveNano += nano;
  }
  return { sessions: sessions.size, live, liveSpendUsd: dollarsOf(liveNano) };
}
