import type { Callers } from '../../contract/index.ts';
import type { ClickHouse } from '../clickhouse.ts';
import { instantOf } from '../ledger/window.ts';
import { readCallers } from '../registry/callers.ts';

/** The same window as the registry's impact of a change. */
const WINDOW_MS = 7 * 86_400_000;
const LISTED_MAX = 50;

/** Who used a lane lately, most calls first. */
export async function readLaneCallers(store: ClickHouse, lane: string, nowMs: number): Promise<Callers> {
  const fromMs = nowMs - WINDOW_MS;
  const callers = await readCallers(store, [lane], fromMs);
  return {
    from: instantOf(fromMs),
    to: instantOf(nowMs),
    callers: callers.length,
    calls: callers.reduce((sum, { calls }) => sum + calls, 0),
    items: callers.slice(0, LISTED_MAX).map(({ user, ip, agent, environment, repo, calls, lastMs }) => ({
      ...{ user, ip, agent, environment, repo, calls },
      last_seen: instantOf(lastMs),
    })),
  };
}
