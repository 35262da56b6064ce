import { firstNumber } from './access-log.ts';
import { type JsonObject, objectIn } from './json-body.ts';
import { disjointTokens } from './token-counts.ts';

/**
 * The four disjoint counts of a `usage` object as the providers answer it: OpenAI's in both of its forms, Anthropic's (which leaves the
 * cache out of input), Google's (which leaves thoughts out of output), and with the slips of gateways' logs (`prompt_token`).
 */
export function tokensOfUsage(usage: JsonObject): JsonObject | undefined {
  const inDetails = (field: string) =>
    firstNumber(objectIn(usage, 'prompt_tokens_details'), field) ??
    firstNumber(objectIn(usage, 'input_tokens_details'), field);
  const isAnthropic =
    usage.input_tokens !== undefined &&
    (usage.cache_read_input_tokens !== undefined || usage.cache_creation_input_tokens !== undefined);
  const thoughts = firstNumber(usage, 'thoughtsTokenCount') ?? 0;
  const output = firstNumber(
    usage,
    'completion_tokens',
    'completion_token',
    'output_tokens',
    'candidatesTokenCount',
    'completionTokens',
  );
  return disjointTokens(
    {
      input: firstNumber(usage, 'prompt_tokens', 'prompt_token', 'input_tokens', 'promptTokenCount', 'promptTokens'),
      cacheRead: firstNumber(usage, 'cache_read_input_tokens', 'cachedContentTokenCount') ?? inDetails('cached_tokens'),
      cacheWrite: firstNumber(usage, 'cache_creation_input_tokens') ?? inDetails('cache_creation_tokens'),
      output: output === undefined ? undefined : output + thoughts,
      total: firstNumber(usage, 'total_tokens'),
    },
    isAnthropic ? 'exclusive' : 'inclusive',
  );
}
