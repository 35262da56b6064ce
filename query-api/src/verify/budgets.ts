import { laneOf, periodStartMs } from '@lanewatch/ingest/contract';
import type { BudgetPeriod } from '@lanewatch/ingest/contract';
import type { ClickHouse } from '../clickhouse.ts';
import { nanoOf } from '../ledger/money.ts';
import type { CredentialRow } from '../registry/record.ts';
import { readSpend } from '../registry/spend.ts';
import type { RegistrySnapshot } from '../registry/view.ts';

/** How often spend is looked at: a budget is held to within a minute. */
const LOOK_MS = 30_000;
const LANES_PER_READ = 500;

/** What keys with a budget cost in its present period, as of the last look. */
export interface Budgets {
  isUsedUp(row: CredentialRow, nowMs: number): boolean;
  /** Billionths of a dollar that a key cost in the present period of its budget; 0 where it has none. */
  usedNano(row: CredentialRow, nowMs: number): bigint;
  look(): Promise<void>;
  close(): void;
}

/** Follows the spend of keys with a budget. A ledger that does not answer leaves what was known last. */
export function followBudgets(parts: {
  store: ClickHouse;
  registry: { held(): RegistrySnapshot };
  now: () => number;
  onFault: (error: unknown) => void;
}): Budgets {
  const { store, registry, now, onFault } = parts;
  let spent = new Map<string, { nanoUsd: bigint; fromMs: number }>();

  async function look(): Promise<void> {
    const { all, secretsById } = registry.held();
    const byPeriod = Map.groupBy(
      all.filter(({ budget_usd: usd }) => usd !== ''),
      ({ budget_period: period }) => period as BudgetPeriod,
    );
    const seen = new Map<string, { nanoUsd: bigint; fromMs: number }>();
    for (const [period, rows] of byPeriod) {
      const fromMs = periodStartMs(period, now());
      const idOfLane = new Map(
        rows.flatMap((row) =>
          (secretsById.get(row.id) ?? []).map(
            ({ fingerprint, hint }) => [laneOf(fingerprint, hint, row.org), row.id] as const,
          ),
        ),
      );
      const lanes = [...idOfLane.keys()];
      for (let at = 0; at < lanes.length; at += LANES_PER_READ) {
        const spend = await readSpend(store, lanes.slice(at, at + LANES_PER_READ), fromMs);
        for (const [lane, { nanoUsd }] of spend) {
          const id = idOfLane.get(lane)!;
          seen.set(id, { nanoUsd: nanoUsd + (seen.get(id)?.nanoUsd ?? 0n), fromMs });
        }
      }
    }
    spent = seen;
  }

  const lookOrTell = (): Promise<void> => look().catch(onFault);
  const timer = setInterval(() => void lookOrTell(), LOOK_MS);
  timer.unref();
  function seenNano(row: CredentialRow, nowMs: number): bigint | null {
    const own = spent.get(row.id);
    if (own === undefined || row.budget_usd === '') return null;
    // What was spent in the period before says nothing about this one.
    return own.fromMs === periodStartMs(row.budget_period as BudgetPeriod, nowMs) ? own.nanoUsd : null;
  }

  return {
    look: lookOrTell,
    usedNano: (row, nowMs) => seenNano(row, nowMs) ?? 0n,
    isUsedUp(row, nowMs) {
      const nano = seenNano(row, nowMs);
      return nano !== null && nano >= nanoOf(row.budget_usd);
    },
    close: () => clearInterval(timer),
  };
}
