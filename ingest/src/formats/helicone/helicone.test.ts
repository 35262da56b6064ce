import { expect, test } from 'vitest';
import { fixture, run } from '../../testing/format-run.ts';
import { heliconeFormat } from './helicone.ts';

type Log = Record<'providerRequest' | 'providerResponse' | 'timing', Record<string, unknown>>;
const DOCS = JSON.parse(fixture(import.meta.url, 'manual-logger-basic.docs.json').toString()) as Log;
const send = async (log: object) => (await run(heliconeFormat, JSON.stringify(log))).events[0]!;
const withUsage = (usage: object) => send({ ...DOCS, providerResponse: { ...DOCS.providerResponse, json: usage } });

test('the documented log is an event without a word of prompt or answer', async () => {
  const event = await send(DOCS);
  expect(event).toMatchObject({
    source: 'helicone',
    time: 1677721749456,
    model: 'my-custom-model',
    status_code: 200,
    tokens_input_uncached: 10,
    tokens_output: 8,
    latency_ms: 1333,
  });
  expect(JSON.stringify(event)).not.toContain('ello');
  expect((await send(DOCS)).id).toBe(event.id);
});

test.each([
  ['OpenAI', { usage: { prompt_tokens: 100, completion_tokens: 9, prompt_tokens_details: { cached_tokens: 60 } } }],
  ['OpenAI Responses', { usage: { input_tokens: 100, output_tokens: 9, input_tokens_details: { cached_tokens: 60 } } }],
  ['Anthropic', { usage: { input_tokens: 40, cache_read_input_tokens: 60, output_tokens: 9 } }],
  [
    'Google',
    {
      usageMetadata: {
        promptTokenCount: 100,
        cachedContentTokenCount: 60,
        candidatesTokenCount: 4,
        thoughtsTokenCount: 5,
      },
    },
  ],
])('usage as %s spells it', async (_, answer) => {
  expect(await withUsage(answer)).toMatchObject({ tokens_input_uncached: 40, tokens_cache_read: 60, tokens_output: 9 });
});

test('user, session and properties stand in meta or in the headers of the answer', async () => {
  const named = { 'Helicone-User-Id': 'ada', 'Helicone-Session-Id': 's-1', 'Helicone-Property-Repo': 'payments' };
  const expected = { user: 'ada', session: 's-1', repo: 'payments' };
  expect(await send({ ...DOCS, providerRequest: { ...DOCS.providerRequest, meta: named } })).toMatchObject(expected);
  expect(await send({ ...DOCS, providerResponse: { ...DOCS.providerResponse, headers: named } })).toMatchObject(
    expected,
  );
});
