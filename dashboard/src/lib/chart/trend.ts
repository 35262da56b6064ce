import { dollarsToNumber } from '#lib/format/money.ts';

/** One bucket of spend. */
export interface TrendPoint {
  at: string;
  events: number;
  cost_usd: string;
  /** The part on rows whose key was unknown; absent where the series does not tell. */
  unknown_cost_usd?: string;
}

/** Something that happened, marked on the time axis. */
export interface TrendMark {
  at: string;
  text: string;
  href: string;
}

/** Columns as uPlot takes them: epoch seconds, total, and the unknown part (drawn over the total). */
export function columnsOf(points: readonly TrendPoint[]): [number[], number[], number[]] {
  return [
    points.map((point) => Date.parse(point.at) / 1000),
    points.map((point) => dollarsToNumber(point.cost_usd)),
    points.map((point) => dollarsToNumber(point.unknown_cost_usd ?? '0')),
  ];
}

const HOUR_S = 3_600;

/** Bounds of the time axis in epoch seconds: half a bucket beyond the first and the last one, so that their bars are whole. */
export function paddedRange(points: readonly TrendPoint[]): [number, number] {
  const [seconds] = columnsOf(points);
  const first = seconds[0] ?? 0;
  const last = seconds.at(-1) ?? first;
  const step = seconds.length > 1 ? (last - first) / (seconds.length - 1) : HOUR_S;
  return [first - step / 2, last + step / 2];
}

/** What stands under a bar: the UTC day, `Nov 20`; or, below a day, when its bucket begins in the reader's zone, `14:00`. */
export function bucketLabel(epochSeconds: number, zone: string, daily: boolean): string {
  const format: Intl.DateTimeFormatOptions = daily
    ? { month: 'short', day: 'numeric', timeZone: 'UTC' }
    : { hour: '2-digit', minute: '2-digit', hourCycle: 'h23', timeZone: zone };
  return new Intl.DateTimeFormat('en-US', format).format(epochSeconds * 1000);
}
