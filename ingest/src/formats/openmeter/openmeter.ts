import { ofCloudEvent } from '../cloudevents/cloudevents.ts';
import { firstNumber } from '../access-log.ts';
import type { Decoded, DecodeContext, HttpFormat } from '../format.ts';
import { isJsonObject, JSON_LINES_TYPES, type JsonObject, objectIn, valuesOfBody } from '../json-body.ts';
import { disjointTokens } from '../token-counts.ts';

/**
 * OpenMeter's events: CloudEvents whose subject is a customer and whose data are what its meters sum up, numbers often as texts. Tokens are told
 * by the names that its guides use; what has none is an access.
 */
export const openmeterFormat: HttpFormat = {
  name: 'openmeter',
  path: '/api/v1/events',
  summary: 'OpenMeter events',
  description:
    'One CloudEvent or an array, as OpenMeter takes them. Answers 204, or 200 with counts where some were refused.',
  mediaTypes: [
    'application/json',
    ...JSON_LINES_TYPES,
    'application/cloudevents+json',
    'application/cloudevents-batch+json',
  ],
  answer: 'no_content',
  invalidFingerprint: 'drop',
  *decode(body, context) {
    for (const parsed of valuesOfBody(body, context.mediaType)) {
      if (!parsed.ok) yield { kind: 'rejected', error: { path: '', message: parsed.message } };
      else if (isJsonObject(parsed.value)) yield eventOf(parsed.value, context);
      else yield { kind: 'event', input: parsed.value };
    }
  },
};

function eventOf(event: JsonObject, context: DecodeContext): Decoded {
  const data = objectIn(event, 'data');
  const tokens = tokensOf(data);
  const seconds = firstNumber(data, 'duration_seconds');
  const millis = firstNumber(data, 'duration_ms');
  const ours: JsonObject = {
    user: data.user ?? event.subject,
    session: data.session,
    model: data.model,
    provider: data.provider,
    environment: data.environment,
    credential: data.credential,
    cost_usd: firstNumber(data, 'cost_usd', 'cost'),
    latency_ms: millis ?? (seconds === undefined ? undefined : seconds * 1000),
    action: tokens === undefined ? 'access' : 'execution',
    tokens,
  };
  return ofCloudEvent({ ...event, data: ours }, context);
}

/** All counts at once, or one event for each kind with its number in `tokens` and its kind in `type`. */
function tokensOf(data: JsonObject): JsonObject | undefined {
  const single = firstNumber(data, 'tokens');
  if (single !== undefined) {
    const kind = typeof data.type === 'string' ? data.type : '';
    return /^(output|completion)/.test(kind)
      ? { output: single }
      : /^cache/.test(kind)
        ? { cache_read: single }
        : { input_uncached: single };
  }
  return disjointTokens(
    {
      input: firstNumber(data, 'input_tokens', 'prompt_tokens'),
      cacheRead: firstNumber(data, 'cache_read_tokens', 'cached_tokens'),
      cacheWrite: firstNumber(data, 'cache_write_tokens'),
      output: firstNumber(data, 'output_tokens', 'completion_tokens'),
      total: firstNumber(data, 'total_tokens'),
    },
    'inclusive',
  );
}
