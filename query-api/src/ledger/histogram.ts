import type { LedgerHistogram } from '../../contract/index.ts';
import type { ClickHouse } from '../clickhouse.ts';
import { unlessTooLarge } from './bounded.ts';
import { ledgerFilter, storableMs } from './filter.ts';
import type { LedgerFilters } from './filter.ts';
import { BUDGET_SQL } from './totals.ts';
import { DAY_MS, instantOf } from './window.ts';

/** Steps that a drawing has at most. */
const STEPS_MAX = 60;
const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
/** Lengths that people reckon in; a step is one of these, or so many days. */
const STEPS_MS = [
  ...[1, 2, 5, 10, 30].map((seconds) => seconds * 1000),
  ...[1, 2, 5, 10, 15, 30].map((minutes) => minutes * MINUTE_MS),
  ...[1, 2, 3, 6, 12].map((hours) => hours * HOUR_MS),
  DAY_MS,
];

/** How long steps are for a span: the shortest that stays within so many. Pure. */
function stepOf(spanMs: number): number {
  const shortest = spanMs / STEPS_MAX;
  return STEPS_MS.find((stepMs) => stepMs >= shortest) ?? Math.ceil(shortest / DAY_MS) * DAY_MS;
}

/** Without a bound, and too many rows for all of them: how far back is looked. */
const FALLBACK_MS = [7 * DAY_MS, DAY_MS, HOUR_MS];

/** Rows of a filter over time; of an open beginning, as far back as the budget reaches. Null where it does not even reach an hour. */
export async function readHistogram(
  store: ClickHouse,
  query: LedgerFilters,
  nowMs: number,
): Promise<LedgerHistogram | null> {
  const toMs = query.to === undefined ? nowMs : storableMs(query.to);
  if (query.from !== undefined) return readSteps(store, query, storableMs(query.from), toMs);
  const first = await readFirst(store, query);
  if (first !== null) {
    const whole = await readSteps(store, query, first, toMs);
    if (whole !== null) return whole;
  }
  for (const backMs of FALLBACK_MS) {
    if (first !== null && toMs - backMs < first) continue;
    const part = await readSteps(store, query, toMs - backMs, toMs);
    if (part !== null) return part;
  }
  return null;
}

/** When the first row of a filter was seen, epoch milliseconds; null for none, or too many to look through. */
async function readFirst(store: ClickHouse, query: LedgerFilters): Promise<number | null> {
  const { where, parameters } = ledgerFilter(query);
  const rows = await unlessTooLarge(
    store.rows<{ at: number | string }>(
      `SELECT toUnixTimestamp64Milli(ledger.seen_at) AS at FROM ${store.database}.ledger AS ledger WHERE ${where}
       ORDER BY ledger.seen_at LIMIT 1 SETTINGS ${BUDGET_SQL}`,
      parameters,
    ),
  );
  return rows?.[0] === undefined ? null : Number(rows[0].at);
}

async function readSteps(
  store: ClickHouse,
  query: LedgerFilters,
  fromMs: number,
  toMs: number,
): Promise<LedgerHistogram | null> {
  const stepMs = stepOf(Math.max(1, toMs - fromMs));
  const { where, parameters } = ledgerFilter({ ...query, from: instantOf(fromMs), to: instantOf(toMs) });
  const rows = await unlessTooLarge(
    store.rows<{ step: number | string; events: number | string; failed: number | string; cost: string }>(
      `SELECT intDiv(toUnixTimestamp64Milli(ledger.seen_at), {step:Int64}) AS step, sum(ledger.calls) AS events,
         sumIf(ledger.calls, ledger.outcome NOT IN ('success', '')) AS failed, toString(sum(ledger.cost_usd)) AS cost
       FROM ${store.database}.ledger AS ledger WHERE ${where} GROUP BY step ORDER BY step SETTINGS ${BUDGET_SQL}`,
      { ...parameters, step: stepMs },
    ),
  );
  if (rows === null) return null;
  return {
    from: instantOf(fromMs),
    to: instantOf(toMs),
    step_ms: stepMs,
    steps: rows.map((row) => ({
      at: instantOf(Number(row.step) * stepMs),
      events: Number(row.events),
      failed_events: Number(row.failed),
      cost_usd: row.cost,
    })),
  };
}
