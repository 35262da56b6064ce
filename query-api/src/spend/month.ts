import type { SpendForecast, SpendScope } from '../../contract/index.ts';
import type { ClickHouse } from '../clickhouse.ts';
import { BOUNDED_SQL } from '../ledger/bounded.ts';
import { dollarsOf, nanoOf } from '../ledger/money.ts';
import { dayOf } from '../ledger/scope.ts';
import { DAY_MS, floorTo } from '../ledger/window.ts';
import { filterSql, isInRollUp } from './dimensions.ts';
import { forecastMonth, METHOD, monthMs, pastForecasts } from './forecast.ts';
import { periodScope } from './period.ts';

/** Months whose forecasts are held against what they cost. */
const PAST_MONTHS = 3;
/** Before the first of them, what its forecast looks back over. */
const LEAD_DAYS = 28;

/**
 * What the present month will cost, with how well the same forecast did in months before.
 * @throws {ReadTooLargeError} where filters need more rows than may be read
 */
export async function readForecast(
  store: ClickHouse,
  scope: Partial<SpendScope>,
  nowMs: number,
): Promise<SpendForecast> {
  const todayMs = floorTo(DAY_MS, nowMs);
  const isRolledUp = isInRollUp(scope);
  const fromMs = monthMs(todayMs, PAST_MONTHS) - LEAD_DAYS * DAY_MS;
  const period = { fromMs, untilMs: null, isOfDays: true, stepMs: DAY_MS };
  const time = periodScope(period, isRolledUp);
  const filter = filterSql(store.database, scope);
  const rows = await store.rows<{ day: string; spent: string }>(
    `SELECT toDate(seen_at) AS day, toString(sum(cost_usd)) AS spent FROM ${store.database}.ledger AS ledger
     WHERE ${time.where} AND ${filter.where} GROUP BY toDate(seen_at) ${isRolledUp ? '' : BOUNDED_SQL}`,
    { ...time.parameters, ...filter.parameters },
  );
  const nanoBy = new Map<number, bigint>();
  for (const { day, spent } of rows) {
    // Ahead of our clock is today.
    const dayMs = Math.min(todayMs, Date.parse(day));
    nanoBy.set(dayMs, (nanoBy.get(dayMs) ?? 0n) + nanoOf(spent));
  }
  const costOf = (dayMs: number): number => Number(nanoBy.get(dayMs) ?? 0n);
  const firstMs = Math.min(todayMs, ...nanoBy.keys());
  const made = forecastMonth(costOf, firstMs, todayMs);
  let spent = 0n;
  for (const [dayMs, nano] of nanoBy) if (dayMs >= monthMs(todayMs)) spent += nano;
  const dollars = (nano: number): string => dollarsOf(BigInt(Math.round(nano)));
  return {
    month: dayOf(monthMs(todayMs)),
    spent_usd: dollarsOf(spent),
    forecast_usd: made === null ? null : dollars(made.total),
    weeks: made?.weeks ?? 0,
    past: pastForecasts(costOf, firstMs, todayMs, PAST_MONTHS).map((past) => ({
      month: dayOf(past.monthMs),
      forecast_usd: dollars(past.forecast),
      actual_usd: dollars(past.actual),
      error: past.error,
    })),
    method: METHOD,
  };
}
