import type { Spend } from '../../contract/index.ts';
import { dollarsOf, nanoOf } from '../ledger/money.ts';
import { instantOf, stepOf } from '../ledger/window.ts';

/** Cost of a value, or of all that have no series of their own, in a step. */
export interface StepJson {
  is_shown: number;
  shown_value: string;
  spent: string;
  /** A UTC day or an instant in UTC, as the engine writes them. */
  step: string;
}

/** Epoch milliseconds of `2026-11-28` or `2026-11-28 05:00:00`, in UTC. */
const stepStartMs = (step: string): number => Date.parse(step.length === 10 ? step : `${step.replace(' ', 'T')}Z`);

/**
 * Cost over time by value, without gaps; what is no step's own, because a clock was ahead, counts to the newest, so that a series adds up
 * to its value's cost. Pure.
 * @param top values with a series, in their order
 * @param starts where steps begin, epoch milliseconds, oldest first
 */
export function seriesOf(
  rows: readonly StepJson[],
  top: readonly string[],
  starts: readonly number[],
  stepMs: number,
): Spend['series'] {
  const own = new Map<string | null, bigint[]>(top.map((value) => [value, starts.map(() => 0n)]));
  for (const row of rows) {
    const value = Number(row.is_shown) === 1 ? row.shown_value : null;
    const costs = own.get(value) ?? starts.map(() => 0n);
    own.set(value, costs);
    const startMs = stepStartMs(row.step);
    const at = stepOf(starts, startMs);
    costs[at] = (costs[at] ?? 0n) + nanoOf(row.spent);
  }
  return {
    step_seconds: stepMs / 1000,
    starts: starts.map(instantOf),
    values: [...own].map(([value, costs]) => ({ value, cost_usd: costs.map(dollarsOf) })),
  };
}
