import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { fixture, run } from '../../testing/format-run.ts';
import { logsBody, tracesBody } from '../../testing/otlp-bodies.ts';
import { otlpLogsFormat, otlpMetricsFormat } from '../otlp/otlp.ts';
import { otlpTracesFormat } from '../otlp/traces.ts';
import { genaiLogMapper, genaiSpanMapper } from './genai.ts';

const traces = otlpTracesFormat(genaiSpanMapper);
const logs = otlpLogsFormat([genaiLogMapper]);
const load = (name: string) => fixture(import.meta.url, name);

type Plain = Record<string, unknown>;
const TRACE = '6a646653ac8d515456f0ff2022ee97b1';
const idOf = (number: number) => number.toString(16).padStart(16, '0');

/** A span of a second, numbered, below another one. */
const span = (number: number, attributes: Plain, more: Plain = {}) => ({
  traceId: TRACE,
  spanId: idOf(number),
  name: 'chat',
  startTimeUnixNano: '1795217031000000000',
  endTimeUnixNano: '1795217032000000000',
  ...more,
  attributes,
});
const below = (number: number) => ({ parentSpanId: idOf(number) });
const CHAT = {
  'gen_ai.operation.name': 'chat',
  'gen_ai.provider.name': 'openai',
  'gen_ai.request.model': 'gpt-4o-mini',
};
const USED = { ...CHAT, 'gen_ai.usage.input_tokens': 100, 'gen_ai.usage.output_tokens': 10 };

const send = (spans: ReturnType<typeof span>[], scope = 'test', resource: Plain = { 'service.name': 'bot' }) =>
  run(traces, tracesBody(resource, scope, spans));
async function one(attributes: Plain, more: Plain = {}, scope?: string) {
  const { events, errors } = await send([span(1, attributes, more)], scope);
  expect(errors).toEqual([]);
  expect(events).toHaveLength(1);
  return events[0]!;
}
/** Which of the numbered spans became events. */
const counted = async (spans: ReturnType<typeof span>[]) =>
  (await send(spans)).events.map(({ id }) => parseInt(id.slice(-16), 16)).sort();

describe('requests as spans, as captured', () => {
  test('the OpenAI instrumentation: one event with service, repository, model and tokens', async () => {
    const { events, rejected } = await run(traces, load('otel-openai-traces.http-json.json'));
    expect(rejected).toBe(0);
    expect(events).toHaveLength(1);
    expect(events[0]).toMatchObject({
      source: 'genai',
      id: '6a646653ac8d515456f0ff2022ee97b12f7e24916cc653f0',
      time: Date.parse('2026-11-20T23:23:51.704Z'),
      agent: 'support-agent',
      agent_version: '1.4.0',
      host: 'ip-10-0-3-17',
      environment: 'production',
      repo: 'github.com/acme/support-agent',
      provider: 'openai',
      model: 'gpt-4o-mini',
      response_id: 'chatcmpl-CAPTURE',
      operation: 'chat',
      credential_kind: 'api_key',
      outcome: 'success',
      tokens_input_uncached: 1234,
      tokens_output: 56,
      latency_ms: 123,
      cost_basis: 'estimated',
    });
  });

  test('log, metric and span of one request are one event', async () => {
    expect((await run(logs, load('otel-openai-logs.http-json.json'))).events).toEqual([]);
    expect((await run(otlpMetricsFormat, load('otel-openai-metrics.http-json.json'))).events).toEqual([]);
    const { events } = await run(traces, load('otel-openai-traces.http-json.json'));
    const details = {
      timeUnixNano: '1795217031704000000',
      traceId: TRACE.toUpperCase(),
      spanId: '2f7e24916cc653f0',
      attributes: { 'event.name': 'gen_ai.client.inference.operation.details', ...USED },
    };
    const asLog = await run(logs, logsBody({}, 'test', [details]));
    expect(asLog.events.map(({ source, id }) => [source, id])).toEqual([[events[0]!.source, events[0]!.id]]);
  });

  test('a refused key is a denied request, and the masked key in the message is nowhere', async () => {
    const { events } = await run(traces, load('otel-openai-traces-401.http-json.json'));
    expect(events).toHaveLength(1);
    expect(events[0]).toMatchObject({ outcome: 'denied', tokens_output: 0, cost_basis: 'none' });
    expect(JSON.stringify(events)).not.toContain('ONLY');
  });

  test('Traceloop: of prompts and answers nothing is kept', async () => {
    const { events } = await run(traces, load('traceloop-traces.http-json.json'));
    expect(events).toHaveLength(1);
    expect(events[0]).toMatchObject({ provider: 'openai', tokens_input_uncached: 1234, tokens_output: 56 });
    expect(JSON.stringify(events)).not.toContain('2+2');
  });

  test('the Claude SDK counts the cache as input, and costs what Claude Code says of the same request', async () => {
    const { events } = await run(traces, load('claude-sdk-ts-v1.11.0-traces.http-json.json'));
    expect(events).toHaveLength(2);
    for (const event of events) {
      expect(event).toMatchObject({
        agent: 'billing-bot',
        org: '11111111-2222-3333-4444-555555555555',
        request_id: 'req_011CAPTURED00000000000000',
        provider: 'anthropic',
        status_code: 200,
        tokens_input_uncached: 25,
        tokens_cache_read: 3400,
        tokens_cache_write: 1200,
        tokens_output: 7,
        cost_nano_usd: 5_700_000,
      });
    }
  });

  test('spans of agents that report the same requests as logs are counted and not stored', async () => {
    const codex = fixture(new URL('../codex/x', import.meta.url).href, 'v0.169.0-traces-935KB.http-json.json.gz');
    const { events, ignored } = await run(traces, codex);
    expect(events).toEqual([]);
    expect(ignored.get('span')).toBeGreaterThan(300);
    const { events: others } = await send([span(1, USED)], 'x', { 'service.name': 'claude-code' });
    expect(others).toEqual([]);
  });
});

describe('names of other conventions', () => {
  test.each([
    [
      'older GenAI',
      { 'gen_ai.system': 'openai', 'gen_ai.usage.prompt_tokens': 9, 'gen_ai.usage.completion_tokens': 4 },
    ],
    [
      'Traceloop of 2024',
      {
        'llm.request.type': 'chat',
        'gen_ai.system': 'OpenAI',
        'llm.usage.prompt_tokens': 9,
        'llm.usage.completion_tokens': 4,
      },
    ],
    [
      'OpenInference',
      {
        'openinference.span.kind': 'LLM',
        'llm.system': 'openai',
        'llm.model_name': 'gpt-4o-mini',
        'llm.token_count.prompt': 9,
        'llm.token_count.completion': 4,
      },
    ],
    [
      'Vercel AI SDK 4',
      {
        'ai.operationId': 'ai.generateText.doGenerate',
        'ai.model.provider': 'openai.chat',
        'ai.model.id': 'gpt-4o-mini',
        'ai.usage.promptTokens': 9,
        'ai.usage.completionTokens': 4,
      },
    ],
    ['numbers as texts', { ...CHAT, 'gen_ai.usage.input_tokens': '9', 'gen_ai.usage.output_tokens': '4' }],
  ])('%s', async (_, attributes) => {
    const event = await one({ 'gen_ai.request.model': 'gpt-4o-mini', ...attributes });
    expect(event).toMatchObject({
      provider: 'openai',
      model: 'gpt-4o-mini',
      tokens_input_uncached: 9,
      tokens_output: 4,
    });
  });

  test.each([
    ['openai.chat', '', 'api_key'],
    ['gcp.gen_ai', 'vertex', 'api_key'],
    ['gcp.vertex_ai', 'vertex', 'none'],
    ['aws.bedrock', 'bedrock', 'none'],
    ['az.ai.inference', 'azure', 'api_key'],
  ])('by the provider %s the model is served by "%s" on %s', async (raw, served_by, kind) => {
    const attributes = { ...USED, 'gen_ai.provider.name': raw };
    expect(await one(attributes)).toMatchObject({ provider: 'openai', served_by, credential_kind: kind });
  });

  test.each([
    ['RateLimitError', 'rate_limited', 0],
    ['429', 'rate_limited', 429],
    ['PermissionDeniedError', 'denied', 0],
    ['timeout', 'failed', 0],
  ])('the error %s is %s', async (type, outcome, status) => {
    expect(await one({ ...CHAT, 'error.type': type })).toMatchObject({ outcome, status_code: status });
  });

  test('the spans of a LiteLLM proxy name the virtual key', async () => {
    const fingerprint = 'ab'.repeat(32);
    const event = await one({
      ...USED,
      'metadata.user_api_key_hash': fingerprint,
      'metadata.user_api_key_alias': 'dev',
    });
    expect(event).toMatchObject({ fingerprint, hint: 'dev', credential_provider: 'litellm' });
  });
});

describe('what input means', () => {
  const cached = { 'gen_ai.usage.input_tokens': 1000, 'gen_ai.usage.cache_read.input_tokens': 600 };
  const vercel = {
    'ai.operationId': 'ai.generateText.doGenerate',
    'ai.model.provider': 'anthropic.messages',
    'ai.usage.inputTokens': 1000,
    'ai.usage.cachedInputTokens': 600,
  };
  test.each([
    ['the conventions hold the cache in it', { ...CHAT, ...cached }, '', 400],
    ['less of it than of the cache cannot', { ...CHAT, ...cached, 'gen_ai.usage.input_tokens': 50 }, '', 50],
    [
      'a sum that is only reached with the cache says it does not',
      { ...CHAT, ...cached, 'gen_ai.usage.total_tokens': 1600 },
      '',
      1000,
    ],
    ['Traceloop leaves it out for Bedrock', { ...CHAT, ...cached }, 'opentelemetry.instrumentation.bedrock', 1000],
    ['Vercel AI SDK 5 leaves it out for Anthropic', vercel, '', 1000],
    ['Vercel AI SDK 5 holds it for OpenAI', { ...vercel, 'ai.model.provider': 'openai.responses' }, '', 400],
    ['Vercel AI SDK 6 holds it', { ...vercel, 'ai.usage.inputTokenDetails.cacheReadTokens': 600 }, '', 400],
  ])('%s', async (_, attributes, scope, uncached) => {
    expect(await one(attributes, {}, scope)).toMatchObject({
      tokens_input_uncached: uncached,
      tokens_cache_read: 600,
    });
  });

  test('what Vercel AI SDK 5 wrote to the cache stands in the provider’s metadata', async () => {
    const metadata = JSON.stringify({ anthropic: { cacheCreationInputTokens: 70 } });
    expect(await one({ ...vercel, 'ai.response.providerMetadata': metadata })).toMatchObject({
      tokens_cache_write: 70,
    });
    expect(await one({ ...vercel, 'ai.response.providerMetadata': '{' })).toMatchObject({ tokens_cache_write: 0 });
  });
});

describe('spans inside one another', () => {
  test('a parent that repeats the sum is not counted', async () => {
    const vercel = (operation: string) => ({ 'ai.operationId': operation, 'ai.usage.inputTokens': 9 });
    expect(
      await counted([
        span(1, vercel('ai.generateText')),
        span(2, vercel('ai.generateText.doGenerate'), below(1)),
        span(3, vercel('ai.generateText.doGenerate'), below(1)),
      ]),
    ).toEqual([2, 3]);
    expect(
      await counted([span(1, { ...USED, 'gen_ai.operation.name': 'invoke_agent' }), span(2, USED, below(1))]),
    ).toEqual([2]);
  });

  test('of two instrumentations the inner one counts, also with an HTTP span in between', async () => {
    expect(await counted([span(3, USED, below(2)), span(2, {}, below(1)), span(1, USED)])).toEqual([3]);
  });

  test('an inner one that says nothing of tokens gives way to the outer one', async () => {
    expect(await counted([span(2, CHAT, below(1)), span(1, USED)])).toEqual([1]);
  });

  test('a model that is asked by a tool is a request of its own', async () => {
    const tool = { 'gen_ai.operation.name': 'execute_tool' };
    expect(await counted([span(3, USED, below(2)), span(2, tool, below(1)), span(1, USED)])).toEqual([1, 3]);
  });

  test('the same ids in another trace are other spans', async () => {
    const other = span(1, USED, { traceId: '1'.repeat(32) });
    expect(await counted([span(2, USED, below(1)), other])).toEqual([1, 2]);
  });

  test('spans that are their own ancestors end, whatever the tree: every span is an event or counted', async () => {
    const numbers = fc.integer({ min: 1, max: 6 });
    const attributes = fc.constantFrom<Plain>(USED, CHAT, {}, { 'gen_ai.operation.name': 'execute_tool' });
    await fc.assert(
      fc.asyncProperty(fc.array(fc.tuple(numbers, numbers, attributes), { maxLength: 12 }), async (tree) => {
        const spans = tree.map(([number, parent, facts]) => span(number, facts, below(parent)));
        const { events, ignored, rejected } = await send(spans);
        expect(rejected).toBe(0);
        expect(events.length + [...ignored.values()].reduce((sum, count) => sum + count, 0)).toBe(spans.length);
      }),
    );
  });
});

describe('log records by the conventions', () => {
  const record = (attributes: Plain) => ({ timeUnixNano: '1795217031704000000', attributes });
  const details = { 'event.name': 'gen_ai.client.inference.operation.details', ...USED };

  test('outside of any span one is an event, and the same event when it comes again', async () => {
    const [first, second] = [
      await run(logs, logsBody({}, 'test', [record(details)])),
      await run(logs, logsBody({}, 'test', [record(details)])),
    ];
    expect(first.events).toMatchObject([{ model: 'gpt-4o-mini', tokens_input_uncached: 100 }]);
    expect(second.events[0]!.id).toBe(first.events[0]!.id);
  });

  test('messages, and details without an outcome, are counted and not stored', async () => {
    const body = logsBody({}, 'test', [
      record({ 'event.name': 'gen_ai.choice' }),
      record({ ...CHAT, 'event.name': 'gen_ai.client.inference.operation.details' }),
    ]);
    const { events, ignored } = await run(logs, body);
    expect(events).toEqual([]);
    expect(Object.fromEntries(ignored)).toEqual({ genai_message: 1, genai_details: 1 });
  });
});
