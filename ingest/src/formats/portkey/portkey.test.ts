import { expect, test } from 'vitest';
import { run } from '../../testing/format-run.ts';
import { portkeyFormat } from './portkey.ts';

const ROW = {
  created_at: '2026-11-20 23:15:42.500',
  ai_org: 'openai',
  ai_model: 'gpt-4o-mini',
  req_units: 100,
  res_units: 10,
  total_units: 110,
  cost: 0.0021,
  is_success: 1,
  response_status_code: 200,
  response_time: 812,
  trace_id: 't-1',
  virtual_key: 'openai-payments',
  metadata: { _user: 'ada', _environment: 'production' },
};
const send = async (change: object) => (await run(portkeyFormat, JSON.stringify({ ...ROW, ...change }))).events[0]!;

test('a row names its virtual key by the slug, and its cents become dollars', async () => {
  expect(await send({})).toMatchObject({
    source: 'portkey',
    time: Date.parse('2026-11-20T23:15:42.500Z'),
    hint: 'openai-payments',
    credential_provider: 'portkey',
    user: 'ada',
    environment: 'production',
    tokens_input_uncached: 100,
    tokens_output: 10,
    cost_nano_usd: 21_000,
    cost_basis: 'reported',
    latency_ms: 812,
  });
});

test('metadata as columns, a failure, and another row', async () => {
  const failed = await send({ metadata: null, 'metadata._user': 'bob', is_success: 0, response_status_code: 429 });
  expect(failed).toMatchObject({ user: 'bob', outcome: 'rate_limited' });
  expect(failed.id).not.toBe((await send({})).id);
});
