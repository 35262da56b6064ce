import type { Channel } from '../../contract/index.ts';

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
const DAY_MS = 24 * HOUR_MS;
const RETRY_FIRST_MS = 5_000;
const RETRY_MAX_MS = 10 * MINUTE_MS;
/** After three days a target is not coming back by itself, and what it would be told is stale. */
export const GIVE_UP_MS = 3 * DAY_MS;

type Times = Pick<Channel, 'quiet_from' | 'quiet_to'>;

const minuteOf = (clock: string): number => Number(clock.slice(0, 2)) * 60 + Number(clock.slice(3));

/** The end of the quiet hours that an instant lies in; the instant itself outside of them. They may go past midnight. Pure. */
export function afterQuiet({ quiet_from: from, quiet_to: to }: Times, atMs: number): number {
  if (from === null || to === null || from === to) return atMs;
  const midnightMs = Math.floor(atMs / DAY_MS) * DAY_MS;
  for (const dayMs of [midnightMs - DAY_MS, midnightMs]) {
    const startMs = dayMs + minuteOf(from) * MINUTE_MS;
    const lengthMs = ((minuteOf(to) - minuteOf(from) + 24 * 60) % (24 * 60)) * MINUTE_MS;
    if (atMs >= startMs && atMs < startMs + lengthMs) return startMs + lengthMs;
  }
  return atMs;
}

/** When a channel may be sent something next: an hour or a day after the last, and not in its quiet hours. Pure. */
export function nextSendMs(channel: Times & Pick<Channel, 'pace'>, lastSentMs: number | null, nowMs: number): number {
  const pauseMs = { each: 0, hourly: HOUR_MS, daily: DAY_MS }[channel.pace];
  return afterQuiet(channel, Math.max(nowMs, lastSentMs === null ? nowMs : lastSentMs + pauseMs));
}

/** How long to wait after so many attempts that failed: doubled each time, ten minutes at most. Pure. */
export function retryDelayMs(attempts: number): number {
  return Math.min(RETRY_MAX_MS, RETRY_FIRST_MS * 2 ** Math.max(0, attempts - 1));
}
