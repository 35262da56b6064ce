import type { LedgerHistogram } from '@lanewatch/query-api/contract';

export const WIDTH = 960;
export const HEIGHT = 56;

/** What the drawing shows of the answer; the rest is not sent to a browser. */
export type DrawnHistogram = Omit<LedgerHistogram, 'steps'> & {
  steps: Omit<LedgerHistogram['steps'][number], 'cost_usd'>[];
};

/** The answer without what is not drawn. */
export const drawnOf = ({ steps, ...rest }: LedgerHistogram): DrawnHistogram => ({
  ...rest,
  steps: steps.map(({ at, events, failed_events }) => ({ at, events, failed_events })),
});

export interface Bar {
  at: string;
  until: string;
  x: number;
  width: number;
  height: number;
  failedHeight: number;
  events: number;
  failed: number;
}

/** Bars of the steps that have rows, in a drawing of {@link WIDTH} by {@link HEIGHT}. Pure. */
export function barsOf({ from, to, step_ms, steps }: DrawnHistogram): Bar[] {
  const startMs = Date.parse(from);
  const spanMs = Math.max(1, Date.parse(to) - startMs);
  const most = Math.max(1, ...steps.map(({ events }) => events));
  const xOf = (ms: number) => Math.round(Math.min(1, Math.max(0, (ms - startMs) / spanMs)) * WIDTH * 100) / 100;
  return steps.map((step) => {
    const atMs = Date.parse(step.at);
    const x = xOf(atMs);
    const height = Math.max(2, Math.round((step.events / most) * HEIGHT));
    return {
      at: new Date(Math.max(atMs, startMs)).toISOString(),
      until: new Date(Math.min(atMs + step_ms, Math.max(startMs + spanMs, atMs + 1))).toISOString(),
      ...{ x, height, events: step.events, failed: step.failed_events },
      width: Math.max(2, Math.round((xOf(atMs + step_ms) - x - 1) * 100) / 100),
      failedHeight: Math.round((step.failed_events / step.events) * height),
    };
  });
}

/** A bar as a path: all of its rows, or those that failed. */
export const pathOf = ({ x, width, height, failedHeight }: Bar, part: 'all' | 'failed'): string => {
  const high = part === 'all' ? height : failedHeight;
  return high === 0 ? '' : `M${x} ${HEIGHT}v${-high}h${width}v${high}`;
};

/** The bounds between two places of a drag, as shares of the drawing's width; null for a mere press. */
export function draggedBounds(
  { from, to }: Pick<DrawnHistogram, 'from' | 'to'>,
  begun: number,
  ended: number,
): { from: string; to: string } | null {
  const [left, right] = [Math.min(begun, ended), Math.max(begun, ended)].map((share) =>
    Math.min(1, Math.max(0, share)),
  );
  if (left === undefined || right === undefined || right - left < 0.005) return null;
  const startMs = Date.parse(from);
  const spanMs = Date.parse(to) - startMs;
  const instant = (share: number) => new Date(Math.round(startMs + share * spanMs)).toISOString();
  return { from: instant(left), to: instant(right) };
}
