import type { Session } from '@lanewatch/query-api/contract';

/** A bar of the time axis, in a drawing 960 wide: calls of one key in one step. */
export interface AxisBar {
  x: number;
  width: number;
  /** Heights above the key's base line; failed calls are the lower part. */
  height: number;
  failedHeight: number;
  at: string;
  events: number;
  failed: number;
}

export const AXIS_WIDTH = 960;
/** Room of one key, and the most that a bar takes of it. */
export const BAND_HEIGHT = 34;
export const BAR_HEIGHT_MAX = 26;

type Axed = Pick<Session, 'axis' | 'lanes' | 'key_changes' | 'first_seen' | 'last_seen'>;

/** Where an instant is on the axis. */
export function xOf(session: Pick<Axed, 'axis' | 'first_seen' | 'last_seen'>, instant: string): number {
  const startMs = Date.parse(session.first_seen);
  const spanMs = Math.max(1, Date.parse(session.last_seen) - startMs + session.axis.step_ms);
  return round(((Date.parse(instant) - startMs) / spanMs) * AXIS_WIDTH);
}

/** The bars of each key in the order of `lanes`; the highest of all takes the whole room. Pure. */
export function bandsOf(session: Axed): AxisBar[][] {
  const most = Math.max(1, ...session.axis.steps.map(({ events }) => events));
  const startMs = Date.parse(session.first_seen);
  return session.lanes.map(({ lane }) =>
    session.axis.steps
      .filter((step) => step.lane === lane)
      .map((step) => {
        const at = new Date(startMs + step.step * session.axis.step_ms).toISOString();
        const x = xOf(session, at);
        const end = xOf(session, new Date(Date.parse(at) + session.axis.step_ms).toISOString());
        // A single call must still be seen.
        const height = Math.max(3, round((step.events / most) * BAR_HEIGHT_MAX));
        return {
          ...{ x, at, height, events: step.events, failed: step.failed_events },
          width: Math.max(2, round(end - x - 1)),
          failedHeight: round((step.failed_events / step.events) * height),
        };
      }),
  );
}

const round = (value: number): number => Math.round(value * 100) / 100;
