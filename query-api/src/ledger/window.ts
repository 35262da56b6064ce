import type { Window } from '../../contract/index.ts';

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
export const DAY_MS = 24 * HOUR_MS;

/** UTC days that a window has, today the last of them. */
export const WINDOW_DAYS = { '7d': 7, '30d': 30, '90d': 90 } as const satisfies Partial<Record<Window, number>>;
/** The shorter windows: how far they reach back, and how long a step of their trend is. */
const SHORT = {
  '1h': { lengthMs: HOUR_MS, stepMs: 5 * MINUTE_MS },
  '24h': { lengthMs: DAY_MS, stepMs: HOUR_MS },
} as const;

/** An event this fresh makes its session and lane live. The same half hour as rule R01's active session. */
export const LIVE_MS = 30 * MINUTE_MS;

/** Whether an event at `seenMs` makes its session and lane live at `nowMs`. */
export function isLive(seenMs: number, nowMs: number): boolean {
  return nowMs - seenMs <= LIVE_MS;
}

/** Whether a window consists of whole UTC days, which the ledger's roll-up knows; the others are read from rows. */
export function isOfDays(window: Window): window is keyof typeof WINDOW_DAYS {
  return window in WINDOW_DAYS;
}

/**
 * Where a window begins, epoch milliseconds: those of days at 00:00 UTC, so that roll-up and rows count the same events; 24 hours and one
 * hour at a full minute, at least that long ago.
 */
export function windowStartMs(window: Window, nowMs: number): number {
  if (isOfDays(window)) return floorTo(DAY_MS, nowMs) - (WINDOW_DAYS[window] - 1) * DAY_MS;
  return floorTo(MINUTE_MS, nowMs - SHORT[window].lengthMs);
}

/** How long a step of a window's trend is, in milliseconds: a UTC day; an hour; five minutes. */
export function trendStepMs(window: Window): number {
  return isOfDays(window) ? DAY_MS : SHORT[window].stepMs;
}

/**
 * Where the steps of a trend begin, epoch milliseconds, oldest first: at full days, hours or five minutes of the clock in UTC. The first
 * of a short window begins with it, and the newest is the one that runs.
 */
export function trendStartsMs(window: Window, nowMs: number): number[] {
  const stepMs = trendStepMs(window);
  const fromMs = windowStartMs(window, nowMs);
  const firstMs = floorTo(stepMs, fromMs);
  const count = (floorTo(stepMs, nowMs) - firstMs) / stepMs + 1;
  return Array.from({ length: count }, (_, index) => Math.max(fromMs, firstMs + index * stepMs));
}

/** What a step of a window's trend begins with on the clock, as SQL, in the words of the roll-up by day where that has it. */
export function trendStepSql(window: Window): string {
  if (isOfDays(window)) return 'toDate(seen_at)';
  return window === '1h' ? 'toStartOfFiveMinutes(seen_at)' : 'toStartOfHour(seen_at)';
}

/**
 * Which step an instant is of, by where steps begin, oldest first. The first may begin within one of the clock's, so what is before it is of
 * it; an event ahead of our clock is of the newest. Pure.
 */
export const stepOf = (startsMs: readonly number[], ms: number): number =>
  Math.max(
    0,
    startsMs.findLastIndex((startMs) => startMs <= ms),
  );

/** The last multiple of a step before an instant, or the instant itself. */
export function floorTo(stepMs: number, instantMs: number): number {
  return Math.floor(instantMs / stepMs) * stepMs;
}

/** Epoch milliseconds as RFC 3339 in UTC. */
export function instantOf(epochMs: number): string {
  return new Date(epochMs).toISOString();
}
