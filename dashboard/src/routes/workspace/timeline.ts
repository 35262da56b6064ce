import type { LedgerItem } from '@lanewatch/query-api/contract';
import { dollarsToNumber } from '#lib/format/money.ts';

/** A call on the axis: place and height between 0 and 1. */
export interface Bar {
  x: number;
  height: number;
  failed: boolean;
}

/** The least that a bar is high: a call that cost nothing is one all the same. */
const HEIGHT_MIN = 0.18;

/** Places calls between the first and the last of them; one alone stands at the beginning. Pure. */
export function timelineOf(
  rows: readonly Pick<LedgerItem, 'seen_at' | 'cost_usd' | 'tokens_output' | 'outcome'>[],
): Bar[] {
  const times = rows.map(({ seen_at: at }) => Date.parse(at));
  const first = Math.min(...times);
  const span = Math.max(...times) - first;
  const costs = rows.map(({ cost_usd: cost }) => dollarsToNumber(cost));
  const sizes = costs.some((cost) => cost > 0) ? costs : rows.map(({ tokens_output: tokens }) => tokens);
  const largest = Math.max(...sizes);
  return rows.map(({ outcome }, index) => ({
    x: span === 0 ? 0 : ((times[index] ?? first) - first) / span,
    height: HEIGHT_MIN + (largest > 0 ? ((1 - HEIGHT_MIN) * (sizes[index] ?? 0)) / largest : 0),
    failed: outcome !== 'success',
  }));
}
