import { canonicalHint, estimateNanoDollars } from '@lanewatch/ingest/contract';
import type { PricedModel, TokenCounts } from '@lanewatch/ingest/contract';
import type { ProviderTotal } from '@lanewatch/detector/contract';
import type { ClickHouse } from '../clickhouse.ts';
import { dollarsOf } from '../ledger/money.ts';
import type { RegistrySnapshot } from '../registry/view.ts';
import { AdminApiError } from './provider.ts';
import type { AdminApi, ProviderName } from './provider.ts';

const DAY_MS = 86_400_000;
/** Providers correct what they counted for some days. */
const DAYS = 7;

/**
 * Reads what a provider counted of each key on the last days that are over, and stores what it billed for that beside the ledger, where rule R28 compares it
 * with what was observed. Providers tell cost by day and not by key: each key has the share of it that its tokens have at list prices; where they tell no cost,
 * the list price itself. Reading a day again replaces it. Only of registered keys: those of one masked form are told apart by nobody, and left out.
 * @returns how many totals were stored
 */
export async function importTotals(
  { store, snapshot, nowMs }: { store: ClickHouse; snapshot: RegistrySnapshot; nowMs: number },
  { api, provider }: { api: AdminApi; provider: ProviderName },
): Promise<number> {
  const untilMs = nowMs - (nowMs % DAY_MS);
  const fromMs = untilMs - DAYS * DAY_MS;
  const usage = await api.usage(fromMs, untilMs);
  const hints = new Map((await api.keys()).map(({ id, hint }) => [id, canonicalHint(hint)]));
  const sums = new Map<string, ProviderTotal & { nano: number }>();
  const listPrices = new Map<string, number>();
  for (const { keyId, day, model, ...counts } of usage) {
    const tokens = {
      input_uncached: counts.inputUncached,
      cache_read: counts.cacheRead,
      cache_write: counts.cacheWrite,
      output: counts.output,
    };
    const nano = listPriceOfDay({ provider, served_by: '', model }, tokens, Date.parse(day));
    listPrices.set(day, (listPrices.get(day) ?? 0) + nano);
    const credentialId = credentialOf(snapshot, provider, hints.get(keyId) ?? '');
    if (credentialId === null) continue;
    const key = `${credentialId} ${day}`;
    const sum = sums.get(key) ?? { credential_id: credentialId, provider, day, billed_usd: '0', nano: 0 };
    sum.nano += nano;
    sums.set(key, sum);
  }
  const billed = await billedByDay(api, fromMs, untilMs, new Set(usage.map(({ model }) => model)));
  const totals = [...sums.values()].map(({ nano, ...total }) => {
    const listed = listPrices.get(total.day) ?? 0;
    const cost = billed.get(total.day) ?? 0;
    const share = cost > 0 && listed > 0 ? (cost * 1e9) / listed : 1;
    return { ...total, billed_usd: dollarsOf(BigInt(Math.round(nano * share))) };
  });
  await store.writeProviderTotals(totals);
  return totals.length;
}

/** What was billed, by day; nothing where the admin key may not read it. */
async function billedByDay(
  api: AdminApi,
  fromMs: number,
  untilMs: number,
  models: ReadonlySet<string>,
): Promise<Map<string, number>> {
  const costs = await api.costs(fromMs, untilMs, models).catch((error: unknown) => {
    if (error instanceof AdminApiError && error.isRefused) return [];
    throw error;
  });
  const byDay = new Map<string, number>();
  for (const { day, usd } of costs) byDay.set(day, (byDay.get(day) ?? 0) + usd);
  return byDay;
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
