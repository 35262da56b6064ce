import { describe, expect, test } from 'vitest';
import { fixture, run } from '../../testing/format-run.ts';
import { litellmFormat } from './litellm.ts';

const load = (name: string) => fixture(import.meta.url, name);
/** sha256("sk-1234"), the key of LiteLLM's own tests. */
const FINGERPRINT = '88dc28d0f030c55ed4ab77ed8faf098196cb1c05df778539800c9f1243fe6b4b';

const SUCCESS = {
  source: 'litellm',
  id: 'chatcmpl-2299b6a2-82a3-465a-b47c-04e685a2227f',
  time: 1_767_397_280_000,
  fingerprint: FINGERPRINT,
  hint: 'devkey',
  credential_provider: 'litellm',
  credential_kind: 'api_key',
  user: 'test@example.com',
  ip: '10.0.3.17',
  provider: 'openai',
  model: 'gpt-4o',
  operation: 'acompletion',
  outcome: 'success',
  tokens_input_uncached: 10,
  tokens_output: 20,
  cost_nano_usd: 225_000,
  cost_basis: 'reported',
  latency_ms: 7,
  flags: ['time_past'],
};
const FAILURE = {
  ...SUCCESS,
  id: 'chatcmpl-fail-1',
  outcome: 'rate_limited',
  status_code: 429,
  tokens_input_uncached: 0,
  tokens_output: 0,
  cost_nano_usd: 0,
};

describe('LiteLLM bodies', () => {
  test.each([
    ['an array', 'derived/json_array-success+failure.json'],
    ['lines under application/json', 'derived/ndjson-success+failure.content-type-application-json.ndjson'],
  ])('%s: success and failure with key, user, tokens and cost', async (_, name) => {
    const { events, rejected } = await run(litellmFormat, load(name));
    expect(rejected).toBe(0);
    expect(events).toHaveLength(2);
    expect(events[0]).toMatchObject(SUCCESS);
    expect(events[1]).toMatchObject(FAILURE);
  });

  test('a single object', async () => {
    const { events } = await run(litellmFormat, load('derived/single.json'));
    expect(events).toHaveLength(1);
    expect(events[0]).toMatchObject(SUCCESS);
  });

  test('the upstream payload without key: times as Python writes them are UTC', async () => {
    const { events } = await run(litellmFormat, load('standard_logging_payload.json'));
    expect(events[0]).toMatchObject({
      time: Date.parse('2025-01-24T09:20:46.851Z'),
      credential_kind: 'none',
      fingerprint: '',
      cost_nano_usd: 225_000,
      flags: ['time_past'],
    });
  });

  test('a SpendLogs row, whose metadata is JSON text', async () => {
    const { events } = await run(litellmFormat, load('spend_logs_payload.json'));
    expect(events[0]).toMatchObject({
      id: 'chatcmpl-2283081b-dc89-41f6-93e6-d4f914774027',
      session: '1234567890',
      model: 'gpt-4o',
      tokens_input_uncached: 10,
      tokens_output: 20,
      cost_nano_usd: 225_000,
    });
  });

  test('messages, responses and error texts are never kept', async () => {
    const { events } = await run(litellmFormat, load('derived/json_array-success+failure.json'));
    expect(JSON.stringify(events)).not.toMatch(/Hello, world|Rate limit reached|finish_reason/);
  });
});

describe('LiteLLM fields', () => {
  const of = async (change: Record<string, unknown>, metadata: Record<string, unknown> = {}) => {
    const payload = JSON.parse(load('derived/single.json').toString()) as Record<string, unknown>;
    const body = { ...payload, ...change, metadata: { ...(payload.metadata as object), ...metadata } };
    const { events, errors } = await run(litellmFormat, JSON.stringify(body));
    expect(errors).toEqual([]);
    return events[0]!;
  };

  test('cached tokens inside prompt_tokens are taken out of it', async () => {
    const event = await of(
      { prompt_tokens: 1000 },
      { usage_object: { prompt_tokens_details: { cached_tokens: 700 }, cache_creation_input_tokens: 200 } },
    );
    expect(event).toMatchObject({ tokens_input_uncached: 100, tokens_cache_read: 700, tokens_cache_write: 200 });
  });

  test('cached tokens beyond prompt_tokens were not part of it', async () => {
    const event = await of({ prompt_tokens: 10 }, { usage_object: { cache_read_input_tokens: 3400 } });
    expect(event).toMatchObject({ tokens_input_uncached: 10, tokens_cache_read: 3400 });
  });

  test('a raw key where the hash should be is hashed', async () => {
    const event = await of({}, { user_api_key_hash: 'sk-abcdefghij0123456789ABCD' });
    expect(event.fingerprint).toMatch(/^[0-9a-f]{64}$/);
    expect(event.flags).toContain('raw_key_hashed');
    expect(JSON.stringify(event)).not.toContain('abcdefghij0123456789');
  });

  test('agent, repository and environment come from user agent, requester metadata and tags', async () => {
    const event = await of(
      { request_tags: ['env:staging', 'repo:acme/tools', 'whatever'] },
      { user_agent: 'claude-cli/2.1.197 (external, cli)', requester_metadata: { branch: 'main' } },
    );
    expect(event).toMatchObject({
      agent: 'claude-cli',
      agent_version: '2.1.197',
      repo: 'acme/tools',
      branch: 'main',
      environment: 'staging',
    });
  });

  test('every value as text (generic_api_use_v1) is read', async () => {
    const event = await of({
      startTime: '1767397278.414',
      endTime: '1767397280.0',
      prompt_tokens: '10',
      completion_tokens: '20',
      response_cost: '0.000225',
      response_time: '0.5',
    });
    expect(event).toMatchObject({ ...SUCCESS, latency_ms: 500 });
  });

  test('a payload without identity is refused with the field that is missing', async () => {
    const { events, errors } = await run(litellmFormat, '{"model":"gpt-4o","endTime":1767397280}');
    expect(events).toEqual([]);
    expect(errors).toMatchObject([{ index: 0, path: 'id' }]);
  });
});
