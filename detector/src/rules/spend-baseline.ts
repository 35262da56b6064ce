import { pastHours, type Hours } from '../lane-state/hours.ts';

/** What hours of a lane cost, as of its present hour. */
export interface SpendBaseline {
  hour: number;
  version: number;
  days: number;
  /** Of the same hour, an hour earlier and later included, on each active day. */
  sameHour: number[];
  busiest: number;
}

/** What the hours before the present one say of it; costs in nano-dollars. */
export function spendBaselineOf(hours: Hours): SpendBaseline {
  const { hour, version } = hours;
  const byDay = new Map<number, number>();
  let busiest = 0;
  for (const { hour: then, costNanoUsd } of pastHours(hours)) {
    busiest = Math.max(busiest, costNanoUsd);
    // Days are counted back from the present hour, so that the hours around it never fall on two of them.
    const day = Math.floor((hour - then + 12) / 24);
    const apart = Math.abs(hour - then - day * 24);
    byDay.set(day, Math.max(byDay.get(day) ?? 0, apart <= 1 && day > 0 ? costNanoUsd : 0));
  }
  // The day of the present hour is not over: it says nothing of a usual one.
  byDay.delete(0);
  return { hour, version, days: byDay.size, sameHour: [...byDay.values()], busiest };
}
