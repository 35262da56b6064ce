import { z } from 'zod';
import { listed, pageReader, reported } from './provider.ts';
import type { AdminAccess, AdminApi, ProviderKey, ProviderUsage } from './provider.ts';

/* OpenAI's administration API: keys are listed project by project, input tokens include those that were cached. */

const PAGING = { provider: 'openai', limit: '100', after: 'after' } as const;

const count = z.number().nonnegative().catch(0);
const keySchema = z.object({
  id: z.string(),
  name: z.string().nullish(),
  redacted_value: z.string().nullish(),
  owner: z
    .object({
      type: z.string().nullish(),
      name: z.string().nullish(),
      user: z.object({ email: z.string().nullish(), name: z.string().nullish() }).nullish(),
      service_account: z.object({ name: z.string().nullish() }).nullish(),
    })
    .nullish(),
});
const projectSchema = z.object({ id: z.string(), name: z.string().nullish(), status: z.string().nullish() });
const daySchema = z.object({
  start_time: z.number(),
  results: z.array(
    z.object({
      api_key_id: z.string().nullish(),
      model: z.string().nullish(),
      input_tokens: count,
      input_cached_tokens: count,
      output_tokens: count,
    }),
  ),
});

/** Amounts are dollars. */
const costSchema = z.object({
  start_time: z.number(),
  results: z.array(
    z.object({ amount: z.object({ value: z.coerce.number().catch(0) }), line_item: z.string().nullish() }),
  ),
});

const dayOf = (seconds: number): string => new Date(seconds * 1000).toISOString().slice(0, 10);

function keyOf(key: z.output<typeof keySchema>, project: string): ProviderKey {
  const isService = key.owner?.type === 'service_account';
  const owner =
    (isService
      ? (key.owner?.service_account?.name ?? key.owner?.name)
      : (key.owner?.user?.email ?? key.owner?.user?.name ?? key.owner?.name)) ?? '';
  return {
    id: key.id,
    name: key.name ?? '',
    hint: key.redacted_value ?? '',
    // What is deleted is not listed.
    isActive: true,
    owner,
    ownerKind: owner === '' ? '' : isService ? 'service_account' : 'person',
    project,
    expiresAt: null,
  };
}

/** @param wait resolves after so many milliseconds */
export function openaiAdmin(access: AdminAccess, wait: (ms: number) => Promise<unknown>): AdminApi {
  const read = pageReader('openai', access, { authorization: `Bearer ${access.key}` }, wait);
  return {
    async keys() {
      const projects = await listed(read, PAGING, '/v1/organization/projects', projectSchema);
      const keys: ProviderKey[] = [];
      for (const { id, name } of projects.filter(({ status }) => status !== 'archived')) {
        const path = `/v1/organization/projects/${encodeURIComponent(id)}/api_keys`;
        keys.push(...(await listed(read, PAGING, path, keySchema)).map((key) => keyOf(key, name ?? id)));
      }
      const admins = await listed(read, PAGING, '/v1/organization/admin_api_keys', keySchema);
      return [...keys, ...admins.map((key) => keyOf(key, ''))];
    },
    async usage(fromMs, untilMs) {
      const path = '/v1/organization/usage/completions';
      const asked = {
        start_time: String(fromMs / 1000),
        end_time: String(untilMs / 1000),
        group_by: ['api_key_id', 'model'],
      };
      const days = await reported(read, PAGING.provider, path, asked, daySchema);
      return days.flatMap(({ start_time, results }) =>
        results.map((result): ProviderUsage => ({
          keyId: result.api_key_id ?? '',
          day: dayOf(start_time),
          model: result.model ?? '',
          inputUncached: Math.max(0, result.input_tokens - result.input_cached_tokens),
          cacheRead: Math.min(result.input_tokens, result.input_cached_tokens),
          cacheWrite: 0,
          output: result.output_tokens,
        })),
      );
    },
    async costs(fromMs, untilMs, models) {
      const asked = {
        start_time: String(fromMs / 1000),
        end_time: String(untilMs / 1000),
        group_by: ['line_item'],
      };
      const days = await reported(read, PAGING.provider, '/v1/organization/costs', asked, costSchema);
      // Lines begin with the model; images, storage and the like are no tokens of a completion.
      const isOfTokens = (line: string) => [...models].some((model) => model !== '' && line.startsWith(model));
      return days.flatMap(({ start_time, results }) =>
        results
          .filter(({ line_item: line }) => isOfTokens(line ?? ''))
          .map(({ amount }) => ({ day: dayOf(start_time), usd: amount.value })),
      );
    },
  };
}
