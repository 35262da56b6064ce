import type { Window } from '../../contract/index.ts';

const HOUR_MS = 3_600_000;
export const WINDOW_HOURS: Record<Window, number> = {
  '1h': 1,
  '24h': 24,
  '7d': 7 * 24,
  '30d': 30 * 24,
  '90d': 90 * 24,
};

/** An event this fresh makes its session and lane live. The same half hour as rule R01's active session. */
export const LIVE_MS = 30 * 60_000;

/** Whether an event at `seenMs` makes its session and lane live at `nowMs`. */
export function isLive(seenMs: number, nowMs: number): boolean {
  return nowMs - seenMs <= LIVE_MS;
}

/**
 * Where a window begins: a full UTC hour, at least the window's length ago, so that hourly roll-ups and single rows
 * count the same events.
 */
export function windowStartMs(window: Window, nowMs: number): number {
  return Math.floor((nowMs - WINDOW_HOURS[window] * HOUR_MS) / HOUR_MS) * HOUR_MS;
}

/**
 * Where the steps of a trend begin, epoch milliseconds, oldest first: hours up to a day's window, else 24 hours each. They are cut
 * back from the end of the hour that runs now, so that the newest is not a stub beside the others. What the window has beyond whole
 * steps, an hour at most, belongs to the oldest.
 */
export function trendStartsMs(window: Window, nowMs: number): number[] {
  const stepMs = WINDOW_HOURS[window] <= 24 ? HOUR_MS : 24 * HOUR_MS;
  const fromMs = windowStartMs(window, nowMs);
  const endMs = (Math.floor(nowMs / HOUR_MS) + 1) * HOUR_MS;
  const count = Math.floor((endMs - fromMs) / stepMs);
  return Array.from({ length: count }, (_, index) => (index === 0 ? fromMs : endMs - (count - index) * stepMs));
}

/** Epoch milliseconds as RFC 3339 in UTC. */
export function instantOf(epochMs: number): string {
  return new Date(epochMs).toISOString();
}
