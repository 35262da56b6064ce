import { credentialRecordKey, periodStartMs } from '@lanewatch/ingest/contract';
import type { BudgetPeriod } from '@lanewatch/ingest/contract';
import { SPEND_DIMENSIONS } from '../../contract/index.ts';
import type { SpendBudgets, SpendScope } from '../../contract/index.ts';
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

/** Filters that name keys as the registry knows them. */
const OF_KEYS = ['lane', 'project', 'team', 'owner'] as const;

/**
 * What the keys of some filters may cost in a month. Pure.
 * @returns billionths of a dollar; null where filters name no keys, or more than keys, or none of these has a monthly budget
 */
export function monthBudget(rows: readonly CredentialRow[], scope: Partial<SpendScope>, nowMs: number): bigint | null {
  const filters = SPEND_DIMENSIONS.filter((dimension) => scope[dimension] !== undefined);
  const ofKeys = OF_KEYS.filter((dimension) => filters.includes(dimension));
  if (filters.length === 0 || ofKeys.length < filters.length) return null;
  const factOf = (row: CredentialRow, dimension: (typeof OF_KEYS)[number]): string =>
    dimension === 'lane' ? credentialRecordKey(row) : row[dimension];
  const budgeted = rows.filter(
    (row) =>
      row.budget_usd !== '' &&
      row.budget_period === 'month' &&
      statusAt(row, nowMs) === 'active' &&
      ofKeys.every((dimension) => scope[dimension]!.includes(factOf(row, dimension))),
  );
  return budgeted.length === 0 ? null : budgeted.reduce((sum, row) => sum + nanoOf(row.budget_usd), 0n);
}

const byShare = <Line extends { share: number }>(lines: Line[]): Line[] => lines.sort((a, b) => b.share - a.share);
