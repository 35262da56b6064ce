import { expect, it } from 'vitest';
import { barsOf, draggedBounds, HEIGHT, WIDTH } from './histogram.ts';

const histogram = {
  ...{ from: '2026-11-21T10:30:00.000Z', to: '2026-11-21T14:30:00.000Z', step_ms: 3_600_000 },
  steps: [
    { at: '2026-11-21T10:00:00.000Z', events: 4, failed_events: 1, cost_usd: '1' },
    { at: '2026-11-21T14:00:00.000Z', events: 1, failed_events: 0, cost_usd: '0' },
  ],
};

it('draws every step within the bounds, and each opens no more than them', () => {
  const bars = barsOf(histogram);
  expect(bars[0]).toMatchObject({ x: 0, at: histogram.from, until: '2026-11-21T11:00:00.000Z', height: HEIGHT });
  expect(bars[1]).toMatchObject({ at: '2026-11-21T14:00:00.000Z', until: histogram.to });
  for (const { x, width } of bars) expect(x + width).toBeLessThanOrEqual(WIDTH + 2);
});

it('zooms to what was dragged over, either way, and not by a press', () => {
  const half = { from: '2026-11-21T12:30:00.000Z', to: '2026-11-21T13:30:00.000Z' };
  expect(draggedBounds(histogram, 0.5, 0.75)).toEqual(half);
  expect(draggedBounds(histogram, 0.75, 0.5)).toEqual(half);
  expect(draggedBounds(histogram, -3, 9)).toEqual({ from: histogram.from, to: histogram.to });
  expect(draggedBounds(histogram, 0.5, 0.501)).toBeNull();
});
