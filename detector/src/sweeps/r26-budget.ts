import { periodStartMs, type BudgetPeriod } from '@lanewatch/ingest/contract';
import { parametersOf, type ParameterValues } from '../rules/parameters.ts';
import { DAY_MS, numbersOf, type Decision, type KeySweep } from './sweep.ts';

/** Percents from which a budget is nearly or wholly spent. */
const HIGH_PERCENT = 95;
const MEDIUM_PERCENT = 80;
/** A projection from less of the period says little. */
const PROJECTED_FROM_SHARE = 0.25;
const NANO = 1e9;

/**
 * R26: spend reached a part of the budget, or will exceed it if it goes on. Once for each part and period, and once for the projection,
 * which says nothing any more when the highest part is reached.
 */
export function budget(overrides?: ParameterValues): KeySweep {
  const parameters = parametersOf('R26', overrides);
  const percents = numbersOf(parameters['percents']);
  return {
    id: 'R26',
    parameters,
    decide({ record, spentNanoUsd }, nowMs) {
      if (record.budget === null) return [];
      const { amount_usd, period } = record.budget;
      const amount = Number(amount_usd);
      const spent = spentNanoUsd / NANO;
      const startMs = periodStartMs(period, nowMs);
      const share = (nowMs - startMs) / (periodEndMs(period, startMs) - startMs);
      const usedPercent = amount === 0 ? (spent > 0 ? 100 : 0) : (spent / amount) * 100;
      const facts = { spent_usd: spent.toFixed(2), budget_usd: amount.toFixed(2), period };
      const begins = new Date(startMs).toISOString();
      const decisions: Decision[] = [];
      const reached = percents.find((percent) => usedPercent >= percent);
      if (reached !== undefined)
        decisions.push({
          dedupe: [begins, String(reached)],
          severity: reached >= HIGH_PERCENT ? 'high' : reached >= MEDIUM_PERCENT ? 'medium' : 'low',
          facts: { percent: reached, ...facts },
          sinceMs: null,
        });
      const willExceed = share >= PROJECTED_FROM_SHARE && usedPercent / share > 100 && reached !== percents[0];
      if (willExceed)
        decisions.push({
          dedupe: [begins, 'projected'],
          severity: 'medium',
          facts: { percent: Math.floor(usedPercent), projected: true, ...facts },
          sinceMs: null,
        });
      return decisions;
    },
  };
}

/** When the period that began then ends, epoch milliseconds. */
function periodEndMs(period: BudgetPeriod, startMs: number): number {
  if (period === 'day') return startMs + DAY_MS;
  if (period === 'week') return startMs + 7 * DAY_MS;
  const start = new Date(startMs);
  return Date.UTC(start.getUTCFullYear(), start.getUTCMonth() + 1, 1);
}
