import { dollarsToNumber } from '#lib/format/money.ts';

/** One bucket of spend. */
export interface TrendPoint {
  at: string;
  events: number;
  cost_usd: string;
  /** The part on rows whose key was not known; absent where the series does not tell. */
  unknown_cost_usd?: string;
}

/** Columns as uPlot takes them: epoch seconds, total, and the part that was not known (drawn over the total). */
export function columnsOf(points: readonly TrendPoint[]): [number[], number[], number[]] {
  return [
    points.map((point) => Date.parse(point.at) / 1000),
    points.map((point) => dollarsToNumber(point.cost_usd)),
    points.map((point) => dollarsToNumber(point.unknown_cost_usd ?? '0')),
  ];
}
