import { periodStartMs } from '@lanewatch/ingest/contract';
import type { BudgetPeriod } from '@lanewatch/ingest/contract';
import type { SpendBudgets } from '../../contract/index.ts';
import { dollarsOf, nanoOf } from '../ledger/money.ts';
import { instantOf } from '../ledger/window.ts';
import { statusAt } from '../registry/record.ts';
import type { CredentialRow } from '../registry/record.ts';

/**
 * Budgets of keys that can be used, and of projects what their keys' come to, the most used first. Pure.
 * @param usedNano what a key cost in the present period of its budget, billionths of a dollar
 */
export function budgetLines(
  rows: readonly CredentialRow[],
  usedNano: (row: CredentialRow) => bigint,
  nowMs: number,
): SpendBudgets {
  const budgeted = rows
    .filter((row) => row.budget_usd !== '' && statusAt(row, nowMs) === 'active')
    .map((row) => ({ row, budget: nanoOf(row.budget_usd), used: usedNano(row) }));
  const byProject = Map.groupBy(
    budgeted.filter(({ row }) => row.project !== ''),
    ({ row }) => `${row.budget_period} ${row.project}`,
  );
  const projects = [...byProject.values()].map((keys) => {
    const sum = (of: 'budget' | 'used'): bigint => keys.reduce((total, key) => total + key[of], 0n);
    const { row } = keys[0]!;
    return { project: row.project, keys: keys.length, ...lineOf(row, sum('budget'), sum('used'), nowMs) };
  });
  return {
    keys: byShare(
      budgeted.map(({ row, budget, used }) => ({
        ...{ id: row.id, name: row.name, project: row.project, owner: row.owner },
        ...lineOf(row, budget, used, nowMs),
      })),
    ),
    projects: byShare(projects),
  };
}

function lineOf(row: CredentialRow, budget: bigint, used: bigint, nowMs: number) {
  const period = row.budget_period as BudgetPeriod;
  return {
    period,
    budget_usd: dollarsOf(budget),
    used_usd: dollarsOf(used),
    share: budget === 0n ? 1 : Number((used * 10_000n) / budget) / 10_000,
    from: instantOf(periodStartMs(period, nowMs)),
  };
}

const byShare = <Line extends { share: number }>(lines: Line[]): Line[] => lines.sort((a, b) => b.share - a.share);
