import { firstNumber, firstText, isoTime } from '../access-log.ts';
import type { Decoded, HttpFormat } from '../format.ts';
import { invalidJson, isJsonObject, type JsonObject, objectIn, textOf } from '../json-body.ts';
import { latencyOrNone } from '../latency.ts';
import { tokensOfUsage } from '../provider-usage.ts';
import { disjointTokens } from '../token-counts.ts';
import { createParts } from './generations.ts';

const REMEMBERED_MAX = 10_000;
const parts = createParts(REMEMBERED_MAX);

/** Types of items that tell of a generation; spans, scores and logs of the SDK tell of no request. */
const GENERATION_TYPES = new Set([
  'generation-create',
  'generation-update',
  'observation-create',
  'observation-update',
]);

/**
 * Langfuse's ingestion API, as its SDKs up to version 3 post it. A generation that has ended is an event; user and session stand on its trace. Each item
 * gets its own answer (207), by its id.
 */
export const langfuseFormat: HttpFormat = {
  name: 'langfuse',
  path: '/api/public/ingestion',
  summary: 'Langfuse ingestion',
  description:
    'Batches of Langfuse SDKs, which take the collector key as secret key. Generations become events once they have ended; answers 207.',
  mediaTypes: ['application/json'],
  answer: 'each',
  invalidFingerprint: 'drop',
  *decode(body) {
    const request = requestOf(textOf(body));
    const metadata = objectIn(request, 'metadata');
    const items = request.batch as unknown[];
    // Traces first, because they may stand behind their generations.
    const last = new Map<string, number>();
    for (const [index, item] of items.entries()) {
      const { body: content, type } = isJsonObject(item) ? item : {};
      if (!isJsonObject(content)) continue;
      const id = firstText(content, 'id');
      if (id === undefined) continue;
      if (type === 'trace-create') parts.trace(id, content);
      else if (isGeneration(type, content)) {
        parts.generation(id, content);
        last.set(id, index);
      }
    }
    for (const [index, item] of items.entries()) yield decodedOf(item, index, last, metadata);
  },
};

function requestOf(text: string): JsonObject {
  let request: unknown;
  try {
    request = JSON.parse(text);
  } catch {
    throw invalidJson('not valid JSON');
  }
  if (!isJsonObject(request) || !Array.isArray(request.batch)) throw invalidJson('no object with an array "batch"');
  return request;
}

const isGeneration = (type: unknown, content: JsonObject) =>
  typeof type === 'string' &&
  GENERATION_TYPES.has(type) &&
  (type.startsWith('generation') || content.type === 'GENERATION' || content.type === 'EMBEDDING');

function decodedOf(item: unknown, index: number, last: ReadonlyMap<string, number>, metadata: JsonObject): Decoded {
  if (!isJsonObject(item)) return { kind: 'rejected', error: { path: '', message: 'an item must be an object' } };
  const ref = firstText(item, 'id');
  const { body: content } = item;
  if (!isJsonObject(content)) return { kind: 'rejected', error: { path: 'body', message: 'must be an object' }, ref };
  if (!isGeneration(item.type, content)) return { kind: 'ignored', what: 'langfuse_other', count: 1, ref };
  const id = firstText(content, 'id');
  if (id === undefined) return { kind: 'rejected', error: { path: 'body.id', message: 'is required' }, ref };
  const generation = parts.generation(id, {});
  if (last.get(id) !== index || !hasEnded(generation)) return { kind: 'ignored', what: 'langfuse_open', count: 1, ref };
  const time = firstText(generation, 'endTime') ?? firstText(item, 'timestamp');
  return { kind: 'event', input: eventOf(id, generation, time, metadata), ref };
}

const hasEnded = ({ endTime, usage, usageDetails, level }: JsonObject) =>
  typeof endTime === 'string' || isJsonObject(usage) || isJsonObject(usageDetails) || level === 'ERROR';

function eventOf(id: string, generation: JsonObject, time: string | undefined, metadata: JsonObject): JsonObject {
  const trace = parts.traceOf(firstText(generation, 'traceId'));
  const usage = objectIn(generation, 'usage');
  const integration = firstText(metadata, 'sdk_integration');
  const end = time === undefined ? NaN : Date.parse(time);
  const start = Date.parse(firstText(generation, 'startTime') ?? '');
  const environment = firstText(generation, 'environment') ?? firstText(trace, 'environment');
  return {
    source: 'langfuse',
    id,
    time: isoTime(end) ?? time,
    user: firstText(trace, 'userId'),
    session: firstText(trace, 'sessionId'),
    request_id: id,
    agent: { name: integration ?? firstText(trace, 'name'), version: firstText(metadata, 'sdk_version') },
    model: firstText(generation, 'model'),
    environment: environment === 'default' ? undefined : environment,
    action: 'execution',
    operation: firstText(generation, 'name'),
    outcome: generation.level === 'ERROR' ? 'failed' : 'success',
    tokens: tokensOf(usage, objectIn(generation, 'usageDetails'), integration),
    cost_usd: firstNumber(objectIn(generation, 'costDetails'), 'total') ?? firstNumber(usage, 'totalCost'),
    latency_ms: latencyOrNone(Number.isNaN(end) || Number.isNaN(start) ? undefined : end - start),
    reporter: 'sdk',
  };
}

/** Langfuse's own counts are disjoint; LiteLLM puts OpenAI's into them, where input holds the cache, and some SDKs post a provider's own. */
function tokensOf(usage: JsonObject, details: JsonObject, integration: string | undefined): JsonObject | undefined {
  const counts = Object.keys(details).length > 0 ? details : usage;
  const input = firstNumber(counts, 'input');
  const output = firstNumber(counts, 'output');
  if (input === undefined && output === undefined) return tokensOfUsage(counts);
  return disjointTokens(
    {
      input,
      cacheRead: firstNumber(counts, 'cache_read_input_tokens', 'input_cached_tokens'),
      cacheWrite: firstNumber(counts, 'cache_creation_input_tokens', 'input_cache_creation'),
      output,
      total: firstNumber(counts, 'total'),
    },
    integration === 'litellm' ? 'inclusive' : 'exclusive',
  );
}
