import type { Window } from '../contract/index.ts';

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

/** Length of one step of a trend: an hour up to a day's window, else a day. */
export function trendStepMs(window: Window): number {
  return WINDOW_HOURS[window] <= 24 ? HOUR_MS : 24 * HOUR_MS;
}

/** Epoch milliseconds as RFC 3339 in UTC. */
export function instantOf(epochMs: number): string {
  return new Date(epochMs).toISOString();
}
