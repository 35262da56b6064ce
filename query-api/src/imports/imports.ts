import { setTimeout as delay } from 'node:timers/promises';
import type { Imports } from '../../contract/index.ts';
import type { ClickHouse } from '../clickhouse.ts';
import { instantOf } from '../ledger/window.ts';
import { anthropicAdmin } from './anthropic.ts';
import { openaiAdmin } from './openai.ts';
import { PROVIDERS } from './provider.ts';
import type { AdminAccess, AdminApi, ProviderName } from './provider.ts';

/** What the operator set up: by provider what opens its admin interface, and how new keys are taken. */
export interface ImportSettings {
  access: Readonly<Partial<Record<ProviderName, AdminAccess>>>;
  /** Organisation that events of imported keys name. */
  org: string;
  /** Whether the job registers new keys; else it says how many there are. */
  registers: boolean;
}

const MAKE = { anthropic: anthropicAdmin, openai: openaiAdmin } as const;

/** The admin interfaces that can be read. */
export function adminApis({ access }: ImportSettings): Map<ProviderName, AdminApi> {
  return new Map(
    PROVIDERS.flatMap((provider) => {
      const own = access[provider];
      return own === undefined ? [] : [[provider, MAKE[provider](own, (ms) => delay(ms))] as const];
    }),
  );
}

export const settingOf = (provider: ProviderName): string => `${provider.toUpperCase()}_ADMIN_KEY_FILE`;

/** The providers, and what is known of each. */
export async function readImports(store: ClickHouse, settings: ImportSettings): Promise<Imports> {
  const rows = await store.rows<{ provider: string; at: number | string; billed: string }>(
    `SELECT toString(provider) AS provider, toUnixTimestamp64Milli(max(imported_at)) AS at,
       toString(sumIf(billed_usd, day >= today() - 7)) AS billed
     FROM ${store.database}.provider_totals FINAL GROUP BY provider`,
  );
  const known = new Map(rows.map((row) => [row.provider, row]));
  return {
    items: PROVIDERS.map((provider) => {
      const totals = known.get(provider);
      return {
        provider,
        is_set: settings.access[provider] !== undefined,
        setting: settingOf(provider),
        registers: settings.registers,
        billed_until: totals === undefined ? null : instantOf(Number(totals.at)),
        billed_usd: totals?.billed ?? '0',
      };
    }),
  };
}
