import { describe, expect, test } from 'vitest';
import { fixture, run } from '../../testing/format-run.ts';
import { litellmFormat } from './litellm.ts';

const load = (name: string) => fixture(import.meta.url, name);
/** sha256("sk-1234"), the key of LiteLLM's own tests. */
const FINGERPRINT = '88dc28d0f030c55ed4ab77ed8faf098196cb1c05df778539800c9f1243fe6b4b';

const SUCCESS = {
  source: 'litellm',
  response_id: 'chatcmpl-2299b6a2-82a3-465a-b47c-04e685a2227f',
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
  response_id: 'chatcmpl-fail-1',
  outcome: 'rate_limited',
  status_code: 429,
  tokens_input_uncached: 0,
  tokens_output: 0,
  cost_nano_usd: 0,
  cost_basis: 'none',
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
      response_id: 'chatcmpl-2283081b-dc89-41f6-93e6-d4f914774027',
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

describe('LiteLLM as captured', () => {
  const read = async (name: string) => {
    const { events, rejected, redactions } = await run(litellmFormat, load(name));
    expect({ rejected, redactions }).toEqual({ rejected: 0, redactions: 0 });
    expect(new Set(events.map(({ id }) => id)).size).toBe(events.length);
    expect(JSON.stringify(events)).not.toMatch(/AKIAIOSFODNN7|Traceback|Hello\./);
    return events;
  };

  test.each([
    ['v1.109.1-master-key.json.gz', 16, 'staging'],
    // Does not pass on the tags that a client sets, and reports nothing of the streamed /v1/responses.
    ['v1.83.14-master-key.json.gz', 15, ''],
  ])('%s: completions, messages, streams and failures', async (name, count, environment) => {
    const events = await read(name);
    expect(events).toHaveLength(count);
    const byStatus = (status: number) => events.filter(({ status_code }) => status_code === status);
    expect(byStatus(401)).toMatchObject([{ outcome: 'denied', model: 'gpt-4o', provider: 'openai' }]);
    expect(byStatus(429).map(({ outcome }) => outcome)).toEqual(['rate_limited', 'rate_limited']);
    expect(byStatus(500)).toMatchObject([{ outcome: 'failed' }]);
    expect(byStatus(0).every(({ outcome }) => outcome === 'success')).toBe(true);
    expect(events.flatMap(({ flags }) => flags)).not.toContain('fingerprint_invalid');
    expect(events.find(({ operation }) => operation === 'anthropic_messages')).toMatchObject({
      provider: 'anthropic',
      model: 'claude-sonnet-4-5',
      agent: 'curl',
      request_id: expect.stringMatching(/^req_011MOCK/) as string,
    });
    // The mock upstream answers with 1200 tokens in, 1000 of them from the cache.
    expect(events.find(({ tokens_cache_read }) => tokens_cache_read === 1000)).toMatchObject({
      session: 'sess-42',
      user: 'enduser-7',
      ip: '127.0.0.1',
      agent: 'my-agent',
      agent_version: '1.2.3',
      repo: 'acme/meta',
      environment,
      tokens_input_uncached: 200,
      tokens_output: 90,
      cost_nano_usd: 2_650_000,
    });
    const viaAnthropic = events.find(({ provider, user }) => provider === 'anthropic' && user === 'enduser-7')!;
    const { tokens_input_uncached: input, tokens_cache_read: fromCache, tokens_cache_write: written } = viaAnthropic;
    expect(input + fromCache + written).toBe(4629);
    expect(Math.min(fromCache, written)).toBeGreaterThan(1199);
  });

  test('the master key is named by its hash, or by the label that newer versions put there', async () => {
    const older = await read('v1.83.14-master-key.json.gz');
    expect(older[0]).toMatchObject({ fingerprint: expect.stringMatching(/^8f39f073/) as string, user: 'enduser-7' });
    const [newer] = await read('v1.109.1-master-key.json.gz');
    expect(newer).toMatchObject({ fingerprint: '', hint: 'litellm_proxy_master_key', credential_kind: 'api_key' });
  });

  test('requests stay apart when the upstream repeats its id and when the client sets the call id', async () => {
    const events = await read('v1.109.1-virtual-key.json.gz');
    expect(events).toHaveLength(7);
    const sameId = (id: string) => events.filter(({ response_id }) => response_id === id);
    expect(sameId('chatcmpl-123')).toHaveLength(2);
    expect(sameId('fixed-call-id')).toHaveLength(2);
    expect((await read('v1.109.1-virtual-key.json.gz')).map(({ id }) => id)).toEqual(events.map(({ id }) => id));
    expect(sameId('chatcmpl-123')[0]).toMatchObject({
      hint: 'alice-key',
      user: 'alice@example.com',
      org: 'org-1',
      model: 'gpt-4o',
      cost_nano_usd: 42_500,
    });
  });

  test('a cost that LiteLLM could not work out is not reported; a model that is free costs nothing', async () => {
    const payload = JSON.parse(load('derived/single.json').toString()) as Record<string, unknown>;
    const failure = { error_str: 'This model is not mapped yet.', traceback_str: '' };
    const cost = async (more: object) => {
      const { events } = await run(litellmFormat, JSON.stringify({ ...payload, ...more }));
      return [events[0]?.cost_nano_usd, events[0]?.cost_basis];
    };
    const unpriced = { response_cost: 0, response_cost_failure_debug_info: failure };
    expect(await cost({ ...unpriced, model: 'house-model-7b' })).toEqual([0, 'none']);
    // Ours may know the price where LiteLLM does not.
    expect(await cost(unpriced)).toEqual([225_000, 'estimated']);
    expect(await cost({ response_cost: 0, response_cost_failure_debug_info: null })).toEqual([0, 'reported']);
  });

  test('an answer from the cache of the proxy is a request without tokens and cost', async () => {
    const [asked, ...repeated] = (await read('v1.109.1-cache-hit.json.gz')).filter(({ model }) => model === 'gpt-4o');
    expect(asked).toMatchObject({ operation: 'acompletion', tokens_cache_read: 1000, cost_nano_usd: 2_650_000 });
    const nothing = { tokens_input_uncached: 0, tokens_cache_read: 0, tokens_output: 0, cost_nano_usd: 0 };
    for (const event of repeated.slice(0, 2)) {
      expect(event).toMatchObject({ operation: 'acompletion:cache_hit', outcome: 'success', ...nothing });
    }
    expect(repeated.length).toBeGreaterThan(1);
  });

  test('lines under application/json', async () => {
    const events = await read('v1.109.1-ndjson.content-type-application-json.ndjson.gz');
    expect(events.map(({ outcome }) => outcome)).toEqual(['success', 'rate_limited']);
  });

  test('Claude Code behind it keeps its session, which its own telemetry reports too', async () => {
    const session = (version: string) => async () =>
      (await read(`v${version}-claude-code.json.gz`)).map((event) => `${event.agent_version} ${event.session}`);
    expect(await session('1.109.1')()).toEqual(['2.1.330 5834b4c7-4901-467a-9eab-b30cb86432be']);
    expect([...new Set(await session('1.83.14')())]).toEqual([
      '2.0.77 f34c590e-443c-47cc-97a1-a851215a25aa',
      '2.1.197 7a6f7d71-9ee8-42e7-976b-433b9323669c',
      '2.1.265 4c20ac74-acf6-4941-8187-7df20598e89d',
    ]);
  });

  test('Claude Code on a key without user is its installation, not one user per session', async () => {
    const payloads = JSON.parse(load('v1.83.14-claude-code.json.gz').toString()) as { metadata: object }[];
    const nobody = { user_api_key_user_email: null, user_api_key_user_id: null };
    for (const payload of payloads) payload.metadata = { ...payload.metadata, ...nobody };
    const { events } = await run(litellmFormat, JSON.stringify(payloads));
    expect([...new Set(events.map(({ user }) => user))]).toEqual([
      '74434d26e1dcf12e6807802f85f7e5d36ea648e2eed729dc8d1493d129f93a20',
      '9818af2cea2e7c0cf78e8f48a71e83205a2e0ed84cd4a73390e4f9f5b554b80c',
      '8bb06b68015f0b9d83dabc0d3f845ef6b6566aa684407aaf5e5bcf7f312e4ecb',
    ]);
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

  const NOBODY = { user_api_key_user_email: null, user_api_key_user_id: null };

  test('a failure keeps its status, unless that is one of success', async () => {
    const failure = (error_code: string) => of({ status: 'failure', error_information: { error_code } });
    expect(await failure('503')).toMatchObject({ outcome: 'failed', status_code: 503 });
    expect(await failure('200')).toMatchObject({ outcome: 'failed', status_code: 0 });
  });

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
      agent: 'claude-code',
      agent_version: '2.1.197',
      repo: 'acme/tools',
      branch: 'main',
      environment: 'staging',
    });
  });

  test('the old payload (generic_api_use_v1) is refused with the setting to change, and not stored as use by nobody', async () => {
    const { events, errors } = await run(litellmFormat, load('derived/generic_api_use_v1.json'));
    expect(events).toEqual([]);
    expect(errors).toEqual([
      { index: 0, path: 'modelParameters', message: expect.stringContaining('generic_api_use_v1') as string },
    ]);
  });

  test('a responses call, whose usage is in that API’s own words, has its cached tokens apart', async () => {
    const { events } = await run(litellmFormat, load('responses-usage.json'));
    expect(events).toMatchObject([
      { tokens_input_uncached: 538, tokens_cache_read: 2208, tokens_cache_write: 0, tokens_output: 197 },
    ]);
  });

  test.each([
    [{ input_tokens: 50, cache_read_input_tokens: 40, output_tokens: 7 }, [10, 40, 7]],
    [{ promptTokenCount: 50, cachedContentTokenCount: 40, candidatesTokenCount: 7 }, [10, 40, 7]],
    [{ prompt_tokens: 50, prompt_tokens_details: { cached_tokens: 40 }, completion_tokens: 7 }, [10, 40, 7]],
  ])(
    'usage that only the provider’s own object tells is taken from it: %o',
    async (usage_object, [input, cache, output]) => {
      const event = await of({ prompt_tokens: undefined, completion_tokens: undefined }, { usage_object });
      expect(event).toMatchObject({
        tokens_input_uncached: input,
        tokens_cache_read: cache,
        tokens_output: output,
      });
    },
  );

  test('a key that the proxy refused is denied and cost nothing that anybody knows', async () => {
    const { events } = await run(litellmFormat, load('wrong-key.json'));
    expect(events).toMatchObject([{ outcome: 'denied', status_code: 401, cost_nano_usd: 0, cost_basis: 'none' }]);
  });

  test('a payload without identity is refused with the field that is missing', async () => {
    const { events, errors } = await run(litellmFormat, '{"model":"gpt-4o","endTime":1767397280}');
    expect(events).toEqual([]);
    expect(errors).toMatchObject([{ index: 0, path: 'id' }]);
  });

  test('an end user that is some other text stays whole', async () => {
    for (const user of ['{"team":7}', '{broken', 'user_1_account__session_2']) {
      expect(await of({ end_user: user }, NOBODY)).toMatchObject({ user });
    }
  });
});
