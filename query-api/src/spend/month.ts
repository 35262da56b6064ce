import type { SpendForecast, SpendScope } from '../../contract/index.ts';
import type { ClickHouse } from '../clickhouse.ts';
import { BOUNDED_SQL } from '../ledger/bounded.ts';
import { dollarsOf, nanoOf } from '../ledger/money.ts';
import { dayOf } from '../ledger/scope.ts';
import { DAY_MS, floorTo } from '../ledger/window.ts';
import { filterSql, isInRollUp } from './dimensions.ts';
import { forecastMonth, METHOD, monthMs, nextMonthMs, pastForecasts } from './forecast.ts';
import { periodScope } from './period.ts';

/** Months whose forecasts are held against what they cost. */
const PAST_MONTHS = 3;
/** Before the first of them, what its forecast looks back over. */
const LEAD_DAYS = 28;

/**
 * What the present month will cost, with how well the same forecast did in months before.
 * @param budgetNano what was allowed for the same in a month, billionths of a dollar; null where nothing is
 * @throws {ReadTooLargeError} where filters need more rows than may be read
 */
export async function readForecast(
  store: ClickHouse,
  scope: Partial<SpendScope>,
  nowMs: number,
  budgetNano: bigint | null,
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
    days: daysOf(costOf, made?.days ?? null, todayMs).map(({ day, spent: sofar, expected }) => ({
      day,
      spent_usd: sofar === null ? null : dollars(sofar),
      expected_usd: expected === null ? null : dollars(expected),
    })),
    budget_usd: budgetNano === null ? null : dollarsOf(budgetNano),
    past: pastForecasts(costOf, firstMs, todayMs, PAST_MONTHS).map((past) => ({
      month: dayOf(past.monthMs),
      forecast_usd: dollars(past.forecast),
      actual_usd: dollars(past.actual),
      error: past.error,
    })),
    method: METHOD,
  };
}

/** Sums from the first of the month to the end of each day: of what was spent up to today, and of what is expected from today on. */
function daysOf(
  costOf: (dayMs: number) => number,
  forecast: readonly number[] | null,
  todayMs: number,
): { day: string; spent: number | null; expected: number | null }[] {
  const days: ReturnType<typeof daysOf> = [];
  let [spent, expected] = [0, 0];
  const firstMs = monthMs(todayMs);
  for (let dayMs = firstMs; dayMs < nextMonthMs(todayMs); dayMs += DAY_MS) {
    spent += costOf(dayMs);
    expected += forecast?.[(dayMs - firstMs) / DAY_MS] ?? 0;
    days.push({
      day: dayOf(dayMs),
      spent: dayMs > todayMs ? null : spent,
      expected: forecast === null || dayMs < todayMs ? null : expected,
    });
  }
  return days;
}
