import type { RateLimits } from '../../contract/index.ts';
import type { ClickHouse } from '../clickhouse.ts';
import { rowsSince } from '../ledger/scope.ts';
import { instantOf } from '../ledger/window.ts';

/** Limits told earlier than this say nothing about now. */
const NEWEST_MS = 86_400_000;

/** The limits that answers told last of each of some lanes, within a day. */
export async function readRateLimits(
  store: ClickHouse,
  lanes: readonly string[],
  nowMs: number,
): Promise<Map<string, RateLimits>> {
  const newest = rowsSince(nowMs - NEWEST_MS, 'limits');
  const rows = await store.rows<{ lane: string; told: string; at: number | string }>(
    `SELECT lane, argMax(rate_limits, seen_at) AS told, toUnixTimestamp64Milli(max(seen_at)) AS at FROM ${store.database}.ledger
     WHERE lane IN {lanes:Array(String)} AND ${newest.where} AND rate_limits != '' AND calls > 0 GROUP BY lane`,
    { ...newest.parameters, lanes },
  );
  return new Map(rows.map(({ lane, told, at }) => [lane, rateLimitsOf(told, Number(at))]));
}

/** What a row says of limits. Whoever may write to the bus may write anything there. Pure. */
export function rateLimitsOf(told: string, atMs: number): RateLimits {
  let kinds: unknown;
  try {
    kinds = JSON.parse(told);
  } catch {
    kinds = {};
  }
  return {
    at: instantOf(atMs),
    limits: Object.entries(kinds ?? {}).flatMap(([kind, one]: [string, unknown]) => {
      const { limit, remaining, reset_at: reset } = (one ?? {}) as Record<string, unknown>;
      const told = { limit: countOf(limit), remaining: countOf(remaining) };
      if (told.limit === null && told.remaining === null) return [];
      const resetMs = typeof reset === 'string' ? Date.parse(reset) : NaN;
      return [{ kind, ...told, reset_at: Number.isNaN(resetMs) ? null : instantOf(resetMs) }];
    }),
  };
}

const countOf = (value: unknown): number | null => (Number.isSafeInteger(value) ? (value as number) : null);
