import { expect, test } from 'vitest';
import { fingerprintOf } from '../../../contract/index.ts';
import { fixture, run } from '../../testing/format-run.ts';
import { kongFormat } from './kong.ts';

const parsed = (name: string) => JSON.parse(fixture(import.meta.url, name).toString()) as Record<string, unknown>;
const PLAIN = parsed('logging-plugin-sample.rendered-3.8.json');
const AI = { ...PLAIN, ...parsed('ai-stats.from-spec.json') };
const send = (body: unknown) => run(kongFormat, JSON.stringify(body));
const key = 'k7Qw2mZp9Lx4Vt6Rb1Nc8Hd3';
const withHeaders = (headers: object) => ({ ...AI, request: { ...(AI.request as object), headers } });

test('a request of an AI plugin tells model, provider, tokens, cost, status and latency', async () => {
  const { events, errors } = await send(AI);
  expect(errors).toEqual([]);
  expect(events).toMatchObject([
    {
      source: 'kong',
      time: 1726783839711,
      org: 'default',
      ip: '192.168.65.1',
      agent: 'httpie',
      agent_version: '3.2.3',
      request_id: '2f6946328ffc4946b8c9120704a4a155',
      module: 'example_service',
      provider: 'openai',
      model: 'gpt-3.5-turbo-0613',
      action: 'execution',
      operation: 'GET /example-route',
      outcome: 'success',
      status_code: 200,
      tokens_input_uncached: 25,
      tokens_output: 12,
      cost_nano_usd: 370_000,
      cost_basis: 'reported',
      latency_ms: 173,
    },
  ]);
});

test('a request without a model is an access, and http-log may post many at once', async () => {
  const { events } = await send([PLAIN, { ...PLAIN, started_at: 1726783839539 }]);
  expect(events.map(({ action }) => action)).toEqual(['access', 'access']);
  expect(new Set(events.map(({ id }) => id)).size).toBe(2);
  expect((await send(PLAIN)).events[0]!.id).toBe(events[0]!.id);
});

test('each AI plugin of a request is an event of its own, also with the names of the documentation', async () => {
  const usage = { prompt_token: 28, completion_token: 20, total_tokens: 48, cost: 0.0038 };
  const ai = { 'ai-proxy': { usage, meta: { provider_name: 'cohere' } }, proxy: { usage, meta: {} }, payload: 'x' };
  const { events } = await send({ ...PLAIN, ai });
  expect(events.map((event) => event.tokens_input_uncached)).toEqual([28, 28]);
  expect(events[0]!.id).not.toBe(events[1]!.id);
});

test('the consumer is the person; a key in a header becomes a fingerprint and goes no further', async () => {
  const consumer = { id: 'c-1', username: 'ada' };
  const { events } = await send({ ...withHeaders({ apikey: key, authorization: 'REDACTED' }), consumer });
  expect(events[0]).toMatchObject({ user: 'ada', hint: 'ada', fingerprint: fingerprintOf(key) });
  expect(JSON.stringify(events)).not.toContain(key);
});

test.each([{ authorization: 'REDACTED' }, { 'x-api-key': 'sk-***' }, { authorization: 'Basic YWRhOnNlY3JldA==' }])(
  'headers %j name no key',
  async (headers) => {
    expect((await send(withHeaders(headers))).events[0]).toMatchObject({ fingerprint: '', credential_kind: 'none' });
  },
);
