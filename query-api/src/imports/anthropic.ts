import { z } from 'zod';
import { AdminApiError, listed, pageReader, reported } from './provider.ts';
import type { AdminAccess, AdminApi, ProviderKey, ProviderUsage, ReadPage } from './provider.ts';

/* Anthropic's Admin API: lists go on after the last id, reports by the token of the next page. */

const PAGING = { provider: 'anthropic', limit: '1000', after: 'after_id' } as const;

const count = z.number().nonnegative().catch(0);
const keySchema = z.object({
  id: z.string(),
  name: z.string().nullish(),
  partial_key_hint: z.string().nullish(),
  status: z.string(),
  workspace_id: z.string().nullish(),
  created_by: z.object({ id: z.string() }).nullish(),
  expires_at: z.string().nullish(),
});
const namedSchema = z.object({ id: z.string(), name: z.string().nullish(), email: z.string().nullish() });
const daySchema = z.object({
  starting_at: z.string(),
  results: z.array(
    z.object({
      api_key_id: z.string().nullish(),
      model: z.string().nullish(),
      uncached_input_tokens: count,
      cache_read_input_tokens: count,
      cache_creation: z.object({ ephemeral_1h_input_tokens: count, ephemeral_5m_input_tokens: count }).nullish(),
      output_tokens: count,
    }),
  ),
});

/** Amounts are cents as decimal text. `cost_type` says what is billed where costs are told apart by description. */
const costSchema = z.object({
  starting_at: z.string(),
  results: z.array(z.object({ amount: z.coerce.number().catch(0), cost_type: z.string().nullish() })),
});

/**
 * Names by id; an organization may not show them to this key, and keys are told without. Any other fault is one: a key that is registered
 * without its owner stays so.
 */
async function namesOf(read: ReadPage, path: string): Promise<Map<string, string>> {
  const items = await listed(read, PAGING, path, namedSchema).catch((error: unknown) => {
    if (error instanceof AdminApiError && error.isRefused) return [];
    throw error;
  });
  return new Map(items.map(({ id, email, name }) => [id, email ?? name ?? '']));
}

/** @param wait resolves after so many milliseconds */
export function anthropicAdmin(access: AdminAccess, wait: (ms: number) => Promise<unknown>): AdminApi {
  const headers = { 'x-api-key': access.key, 'anthropic-version': '2023-06-01' };
  const read = pageReader('anthropic', access, headers, wait);
  return {
    async keys() {
      const keys = await listed(read, PAGING, '/v1/organizations/api_keys', keySchema);
      const people = await namesOf(read, '/v1/organizations/users');
      const workspaces = await namesOf(read, '/v1/organizations/workspaces');
      return keys.map((key): ProviderKey => {
        const owner = people.get(key.created_by?.id ?? '') ?? '';
        return {
          id: key.id,
          name: key.name ?? '',
          hint: key.partial_key_hint ?? '',
          isActive: key.status === 'active',
          owner,
          ownerKind: owner === '' ? '' : 'person',
          project: workspaces.get(key.workspace_id ?? '') ?? '',
          expiresAt: key.expires_at ?? null,
        };
      });
    },
    async usage(fromMs, untilMs) {
      const path = '/v1/organizations/usage_report/messages';
      const asked = {
        starting_at: new Date(fromMs).toISOString(),
        ending_at: new Date(untilMs).toISOString(),
        'group_by[]': ['api_key_id', 'model'],
      };
      const days = await reported(read, PAGING.provider, path, asked, daySchema);
      return days.flatMap(({ starting_at, results }) =>
        results.map((result): ProviderUsage => {
          const { ephemeral_1h_input_tokens: hour = 0, ephemeral_5m_input_tokens: minutes = 0 } =
            result.cache_creation ?? {};
          return {
            keyId: result.api_key_id ?? '',
            day: starting_at.slice(0, 10),
            model: result.model ?? '',
            inputUncached: result.uncached_input_tokens,
            cacheRead: result.cache_read_input_tokens,
            cacheWrite: hour + minutes,
            output: result.output_tokens,
          };
        }),
      );
    },
    async costs(fromMs, untilMs) {
      const asked = {
        starting_at: new Date(fromMs).toISOString(),
        ending_at: new Date(untilMs).toISOString(),
        'group_by[]': ['description'],
      };
      const days = await reported(read, PAGING.provider, '/v1/organizations/cost_report', asked, costSchema);
      return days.flatMap(({ starting_at, results }) =>
        results
          .filter(({ cost_type: type }) => type == null || type === 'tokens')
          .map(({ amount }) => ({ day: starting_at.slice(0, 10), usd: amount / 100 })),
      );
    },
  };
}
