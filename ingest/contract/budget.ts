/** Budgets of credentials. Pure, without Node imports: forms use it in the browser. */

/** How long a budget lasts before it begins anew, in UTC: from 00:00 of the day, of Monday, or of the first of the month. */
export const BUDGET_PERIODS = ['day', 'week', 'month'] as const;
export type BudgetPeriod = (typeof BUDGET_PERIODS)[number];

const DAY_MS = 86_400_000;

/** When the present period of a budget began, epoch milliseconds: 00:00 UTC of the day, of Monday, or of the first of the month. */
export function periodStartMs(period: BudgetPeriod, nowMs: number): number {
  const dayMs = nowMs - (nowMs % DAY_MS);
  if (period === 'day') return dayMs;
  const day = new Date(dayMs);
  if (period === 'month') return Date.UTC(day.getUTCFullYear(), day.getUTCMonth(), 1);
  return dayMs - ((day.getUTCDay() + 6) % 7) * DAY_MS;
}
