import { canonicalHint, estimateNanoDollars } from '@lanewatch/ingest/contract';
import type { PricedModel, TokenCounts } from '@lanewatch/ingest/contract';
import type { ProviderTotal } from '@lanewatch/detector/contract';
import type { ClickHouse } from '../clickhouse.ts';
import { dollarsOf } from '../ledger/money.ts';
import type { RegistrySnapshot } from '../registry/view.ts';
import type { AdminApi, ProviderName } from './provider.ts';

const DAY_MS = 86_400_000;
/** Providers correct what they counted for some days. */
const DAYS = 7;

/**
 * Reads what a provider counted of each key on the last days that are over, and stores it at list prices beside the ledger, where rule R28 compares it with
 * what was observed. Reading a day again replaces it. Only of registered keys: those of one masked form are told apart by nobody, and left out.
 * @returns how many totals were stored
 */
export async function importTotals(
  { store, snapshot, nowMs }: { store: ClickHouse; snapshot: RegistrySnapshot; nowMs: number },
  { api, provider }: { api: AdminApi; provider: ProviderName },
): Promise<number> {
  const today = nowMs - (nowMs % DAY_MS);
  const usage = await api.usage(today - DAYS * DAY_MS, today);
  const hints = new Map((await api.keys()).map(({ id, hint }) => [id, canonicalHint(hint)]));
  const sums = new Map<string, ProviderTotal & { nano: bigint }>();
  for (const { keyId, day, model, ...counts } of usage) {
    const credentialId = credentialOf(snapshot, provider, hints.get(keyId) ?? '');
    if (credentialId === null) continue;
    const tokens = {
      input_uncached: counts.inputUncached,
      cache_read: counts.cacheRead,
      cache_write: counts.cacheWrite,
      output: counts.output,
    };
    const nano = listPriceOfDay({ provider, served_by: '', model }, tokens, Date.parse(day));
    const key = `${credentialId} ${day}`;
    const sum = sums.get(key) ?? { credential_id: credentialId, provider, day, billed_usd: '0', nano: 0n };
    sum.nano += BigInt(nano);
    sums.set(key, sum);
  }
  const totals = [...sums.values()].map(({ nano, ...total }) => ({ ...total, billed_usd: dollarsOf(nano) }));
  await store.writeProviderTotals(totals);
  return totals.length;
}

/** Tokens of one call at most, as a day's are taken to be made of: prices rise for longer ones, and a day is none of these. */
const CALL_TOKENS = 50_000;

/** Billionths of a dollar; 0 where no price is known. */
function listPriceOfDay(model: PricedModel, tokens: TokenCounts, dayMs: number): number {
  const counts = Object.entries(tokens);
  const calls = Math.max(1, Math.ceil(counts.reduce((sum, [, count]) => sum + count, 0) / CALL_TOKENS));
  const ofCall = Object.fromEntries(counts.map(([kind, count]) => [kind, count / calls])) as unknown as TokenCounts;
  return (estimateNanoDollars(model, ofCall, dayMs) ?? 0) * calls;
}

function credentialOf({ byHint }: RegistrySnapshot, provider: string, hint: string): string | null {
  const ids = new Set((byHint.get(hint) ?? []).filter((row) => row.provider === provider).map(({ id }) => id));
  return hint !== '' && ids.size === 1 ? [...ids][0]! : null;
}
