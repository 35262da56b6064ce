import { type JsonObject, isJsonObject, objectIn } from '../json-body.ts';
import { type Attributes, numberAttribute, textAttribute } from '../otlp/attributes.ts';
import type { Span } from '../otlp/span.ts';
import { disjointTokens, type InputMeaning } from '../token-counts.ts';
import { NAMES } from './attribute-names.ts';

/** Whether any count is there. */
export const hasTokens = (attributes: Attributes) =>
  numberAttribute(attributes, ...NAMES.input, ...NAMES.output) !== undefined;

/** The four disjoint counts. */
export function tokensOf(request: Pick<Span, 'scopeName' | 'attributes'>): JsonObject | undefined {
  const { attributes } = request;
  const count = (names: readonly string[]) => numberAttribute(attributes, ...names);
  return disjointTokens(
    {
      input: count(NAMES.input),
      cacheRead: count(NAMES.cacheRead),
      cacheWrite: count(NAMES.cacheWrite) ?? cacheWriteInVercel5(attributes),
      output: count(NAMES.output),
      total: count(NAMES.total),
    },
    inputMeaningOf(request),
  );
}

/**
 * Instrumentations that pass on a provider's count which leaves the cache out, against the conventions: Traceloop's for Bedrock
 * (traceloop/openllmetry#4449), while theirs for Anthropic adds it (#2175).
 */
const EXCLUSIVE_SCOPES = /^(opentelemetry\.instrumentation\.bedrock|@traceloop\/instrumentation-bedrock)$/;

/**
 * By the conventions input holds the cache (semantic-conventions#3163). Versions 4 and 5 of the Vercel AI SDK passed on Anthropic's own
 * count, which does not; version 6 adds it and can be told by its details.
 */
function inputMeaningOf({ scopeName, attributes }: Pick<Span, 'scopeName' | 'attributes'>): InputMeaning {
  if (EXCLUSIVE_SCOPES.test(scopeName)) return 'exclusive';
  const vercelProvider = textAttribute(attributes, 'ai.model.provider');
  if (vercelProvider === undefined || !/anthropic|bedrock/i.test(vercelProvider)) return 'inclusive';
  const isVersion6 = [...attributes.keys()].some((key) => key.startsWith('ai.usage.inputTokenDetails.'));
  return isVersion6 ? 'inclusive' : 'exclusive';
}

/** Longest text of provider metadata that is looked into. */
const METADATA_CHARS_MAX = 65_536;

/** Version 5 leaves what was written to Anthropic's cache to a text of JSON. */
function cacheWriteInVercel5(attributes: Attributes): number | undefined {
  const text = textAttribute(attributes, 'ai.response.providerMetadata');
  if (text === undefined || text.length > METADATA_CHARS_MAX) return undefined;
  try {
    const metadata: unknown = JSON.parse(text);
    if (!isJsonObject(metadata)) return undefined;
    const { cacheCreationInputTokens: written } = objectIn(metadata, 'anthropic');
    return typeof written === 'number' ? written : undefined;
  } catch {
    return undefined;
  }
}
