import { DAY_MS } from '../ledger/window.ts';

/** Weeks that a forecast looks back over, the most there are of these. */
const WEEKS = [4, 2, 1] as const;
const WEEK_DAYS = 7;
/** The trend moves a day by this part of its weekday's mean at most: a spike does not double for ever. */
const TREND_PART_MAX = 0.5;

export const METHOD =
  'Each day to come costs the mean of the same weekdays of the last four whole weeks (two or one, where there are no more), moved by their trend: the daily change from their first half to their second, by at most half of the mean. Today counts what it cost already, or its forecast where that is more.';

/** Cost of a UTC day, whole numbers for exactness or not: units are the caller's. */
export type CostOfDay = (dayMs: number) => number;

/**
 * What a month will cost by its end, seen from one of its days. Pure.
 * @param costOf cost of a day, 0 where nothing is known
 * @param firstMs first day of which costs are known, epoch milliseconds at 00:00 UTC
 * @param todayMs the day from which it is seen, at 00:00 UTC; its cost may still grow
 * @returns in the unit of `costOf`, each day of the month and all of them, and how many weeks it is made of; null without a whole week
 * before today
 */
export function forecastMonth(
  costOf: CostOfDay,
  firstMs: number,
  todayMs: number,
): { total: number; days: number[]; weeks: number } | null {
  const weeks = WEEKS.find((count) => todayMs - count * WEEK_DAYS * DAY_MS >= firstMs);
  if (weeks === undefined) return null;
  const slope = slopeOf(costOf, todayMs, weeks);
  const endMs = nextMonthMs(todayMs);
  const days: number[] = [];
  for (let dayMs = monthMs(todayMs); dayMs < endMs; dayMs += DAY_MS) {
    if (dayMs < todayMs) days.push(costOf(dayMs));
    else days.push(Math.max(dayMs === todayMs ? costOf(dayMs) : 0, forecastDay(costOf, todayMs, weeks, slope, dayMs)));
  }
  return { total: days.reduce((sum, day) => sum + day, 0), days, weeks };
}

/** Daily change between the two halves of the weeks before a day; none of one week. Halves are whole weeks, so weekdays cancel out. */
function slopeOf(costOf: CostOfDay, todayMs: number, weeks: number): number {
  if (weeks < 2) return 0;
  const half = (weeks / 2) * WEEK_DAYS;
  let change = 0;
  for (let back = 1; back <= half; back++)
    change += costOf(todayMs - back * DAY_MS) - costOf(todayMs - (back + half) * DAY_MS);
  return change / half / half;
}

function forecastDay(costOf: CostOfDay, todayMs: number, weeks: number, slope: number, dayMs: number): number {
  const ahead = Math.round((dayMs - todayMs) / DAY_MS);
  // The newest whole day of the same weekday, as days before today: 1 to 7.
  const nearest = WEEK_DAYS - (ahead % WEEK_DAYS);
  let sum = 0;
  for (let week = 0; week < weeks; week++) sum += costOf(todayMs - (nearest + week * WEEK_DAYS) * DAY_MS);
  const mean = sum / weeks;
  const fromMeanDays = ahead + nearest + ((weeks - 1) / 2) * WEEK_DAYS;
  const most = mean * TREND_PART_MAX;
  return Math.max(0, mean + Math.min(most, Math.max(-most, slope * fromMeanDays)));
}

/** 00:00 UTC of the first of a day's month. */
export function monthMs(dayMs: number, monthsBefore = 0): number {
  const day = new Date(dayMs);
  return Date.UTC(day.getUTCFullYear(), day.getUTCMonth() - monthsBefore, 1);
}

/** 00:00 UTC of the first of the month after a day. */
export const nextMonthMs = (dayMs: number): number => monthMs(dayMs, -1);

/**
 * The same forecast made on the same day of earlier months, and what they cost, newest first; months that it could not have been made in
 * are left out. Pure.
 */
export function pastForecasts(
  costOf: CostOfDay,
  firstMs: number,
  todayMs: number,
  months: number,
): { monthMs: number; forecast: number; actual: number; error: number }[] {
  const dayOfMonth = todayMs - monthMs(todayMs);
  return Array.from({ length: months }, (_, index) => index + 1).flatMap((before) => {
    const startMs = monthMs(todayMs, before);
    const endMs = nextMonthMs(startMs);
    const seenFromMs = Math.min(startMs + dayOfMonth, endMs - DAY_MS);
    let actual = 0;
    for (let dayMs = startMs; dayMs < endMs; dayMs += DAY_MS) actual += costOf(dayMs);
    // A day is seen from its start: what it cost was not known then.
    const known: CostOfDay = (dayMs) => (dayMs < seenFromMs ? costOf(dayMs) : 0);
    const made = firstMs > startMs ? null : forecastMonth(known, firstMs, seenFromMs);
    if (made === null || actual === 0) return [];
    return [{ monthMs: startMs, forecast: made.total, actual, error: (made.total - actual) / actual }];
  });
}
