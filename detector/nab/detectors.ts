import { closeHour, createHours, hourOf, pastHours, robustScore, type Hours } from '../src/lane-state/hours.ts';
import { spendBaselineOf } from '../src/rules/spend-baseline.ts';
import { probationRows } from './scoring.ts';

const NANO = 1e9;
/** What the usual hour of a file is taken to cost: what R10 counts from. */
const USUAL_HOUR_NANO_USD = 10 * NANO;
/** As in R10: a spread below a fifth of that is none. */
const SCALE_MIN = USUAL_HOUR_NANO_USD / 5;

/** What a detector makes of a file: a score for each row, of that row and those before it. */
export interface Detector {
  name: string;
  scoresOf(timesMs: readonly number[], values: readonly number[]): number[];
}

/** The hours that rules remember of a lane, each row a call that costs its value. */
function overHours(scoreOf: (hours: Hours) => (spent: number) => number): Detector['scoresOf'] {
  return (timesMs, values) => {
    const scale = USUAL_HOUR_NANO_USD / usualHourOf(timesMs, values);
    const hours = createHours();
    let score = (_spent: number) => 0;
    return values.map((value, row) => {
      const hour = hourOf(timesMs[row]!);
      if (hour > hours.hour) {
        closeHour(hours, hour, 0, 0);
        score = scoreOf(hours);
      }
      hours.calls++;
      hours.costNanoUsd += Math.max(0, value) * scale;
      return score(hours.costNanoUsd);
    });
  };
}

/** The mean of the hours of the probation: what comes later is not known yet. */
function usualHourOf(timesMs: readonly number[], values: readonly number[]): number {
  const rows = Math.max(1, probationRows(values.length));
  const hours = new Set(timesMs.slice(0, rows).map(hourOf)).size;
  const sum = values.slice(0, rows).reduce((total, value) => total + Math.max(0, value), 0);
  return sum > 0 ? sum / hours : 1;
}

/** What R10 and R11 go by, without what they ask besides: sums of money, numbers of calls, days of history. */
export const DETECTORS: readonly Detector[] = [
  {
    name: 'spend (R10: the same hour of other days)',
    scoresOf: overHours((hours) => {
      const { sameHour } = spendBaselineOf(hours);
      return (spent) => (sameHour.length === 0 ? 0 : robustScore(spent, sameHour, SCALE_MIN).score);
    }),
  },
  {
    name: 'volume (R11: all hours of the month)',
    scoresOf: overHours((hours) => {
      const costs = pastHours(hours).map(({ costNanoUsd }) => costNanoUsd);
      return (spent) => (costs.length === 0 ? 0 : robustScore(spent, costs, SCALE_MIN).score);
    }),
  },
];
