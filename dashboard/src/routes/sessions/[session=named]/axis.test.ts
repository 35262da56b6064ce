import { describe, expect, it } from 'vitest';
import { AXIS_WIDTH, BAR_HEIGHT_MAX, bandsOf, xOf } from './axis.ts';

const counts = { failed_events: 0, cost_usd: '0' };
const session = {
  first_seen: '2026-11-21T10:00:00.000Z',
  last_seen: '2026-11-21T10:01:30.000Z',
  key_changes: [],
  lanes: ['a', 'b'].map((lane) => ({
    ...{ lane, hint: '', standing: 'known' as const, before: null, after: null, events: 1, ...counts },
    ...{ first_seen: '2026-11-21T10:00:00.000Z', last_seen: '2026-11-21T10:00:00.000Z' },
  })),
  axis: {
    step_ms: 30_000,
    steps: [
      { step: 0, lane: 'a', events: 8, ...counts, failed_events: 4 },
      { step: 3, lane: 'b', events: 1, ...counts },
    ],
  },
};

describe('the time axis of a session', () => {
  it('places every step inside the drawing, the busiest one as high as there is room', () => {
    const [a, b] = bandsOf(session);
    expect(a).toMatchObject([{ x: 0, height: BAR_HEIGHT_MAX, failedHeight: BAR_HEIGHT_MAX / 2 }]);
    expect(b).toMatchObject([{ at: session.last_seen, events: 1 }]);
    const last = b?.[0];
    expect((last?.x ?? 0) + (last?.width ?? 0)).toBeLessThanOrEqual(AXIS_WIDTH);
    expect(last?.height).toBeGreaterThanOrEqual(3);
  });

  it('has a place for a run of a single call', () => {
    const single = { ...session, last_seen: session.first_seen, axis: { step_ms: 1, steps: [] } };
    expect(xOf(single, single.first_seen)).toBe(0);
  });
});
