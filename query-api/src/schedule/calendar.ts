import { createTask } from 'node-cron';

const MINUTE_MS = 60_000;
/** Schedules fall due at least weekly, so that nobody steps through minutes for long. */
const PERIOD_MINUTES_MAX = 7 * 24 * 60;

/** When a schedule falls due. */
export interface Calendar {
  /** The first instant after another one. */
  after(ms: number): number;
  /** The last instant up to another one, that one included. */
  upTo(ms: number): number;
}

/**
 * Reads a cron expression of five fields, in UTC. Days have no gaps there, so each instant comes exactly once.
 * @throws Error when it can't be read, or can be without an instant for more than a week
 */
export function calendarOf(expression: string): Calendar {
  // Only asked which minutes it is due in: the library's own timers go by the process's clock, which tests can't move.
  const task = createTask(expression, () => undefined, { timezone: 'UTC' });
  const search = (fromMs: number, stepMs: number): number => {
    for (let steps = 0, ms = fromMs; steps <= PERIOD_MINUTES_MAX; steps += 1, ms += stepMs) {
      if (task.match(new Date(ms))) return ms;
    }
    throw new Error(`The schedule ${expression} is not due within a week`);
  };
  const minuteOf = (ms: number): number => Math.floor(ms / MINUTE_MS) * MINUTE_MS;
  return {
    after: (ms) => search(minuteOf(ms) + MINUTE_MS, MINUTE_MS),
    upTo: (ms) => search(minuteOf(ms), -MINUTE_MS),
  };
}
