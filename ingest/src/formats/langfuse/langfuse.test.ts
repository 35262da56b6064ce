import { expect, test } from 'vitest';
import { fixture, run } from '../../testing/format-run.ts';
import { createParts } from './generations.ts';
import { langfuseFormat } from './langfuse.ts';

let items = 0;
const item = (type: string, body: unknown) => ({
  id: `item-${items++}`,
  type,
  timestamp: '2026-11-20T23:15:43Z',
  body,
});
const send = (...batch: unknown[]) =>
  run(langfuseFormat, JSON.stringify({ batch, metadata: { sdk_version: '3.39.2' } }));
const begun = (id: string) => ({
  id,
  traceId: `trace-of-${id}`,
  startTime: '2026-11-20T23:15:42Z',
  model: 'gpt-4o-mini',
  input: 'a prompt',
});
const ended = (id: string) => ({
  id,
  endTime: '2026-11-20T23:15:43Z',
  usageDetails: { input: 9, output: 4 },
  output: 'an answer',
});

test('LiteLLM’s batch is one event, with tokens and the cost that it reports', async () => {
  const { events, rejected } = await run(langfuseFormat, fixture(import.meta.url, 'litellm-completion_with_tags.json'));
  expect(rejected).toBe(0);
  expect(events).toMatchObject([
    {
      source: 'langfuse',
      id: 'time-07-31-28-960749_chatcmpl-f06338f0-8c49-45d8-be35-2854a89723c1',
      time: Date.parse('2025-01-22T15:31:28.962Z'),
      agent: 'litellm',
      model: 'gpt-3.5-turbo',
      tokens_input_uncached: 10,
      tokens_output: 20,
      cost_nano_usd: 55_000,
      cost_basis: 'reported',
      latency_ms: 2,
    },
  ]);
});

test('beginning, end and trace in three requests are one event with user and session', async () => {
  const trace = { id: 'trace-of-a', userId: 'ada', sessionId: 's-1' };
  expect((await send(item('generation-create', begun('a')))).events).toEqual([]);
  expect((await send(item('trace-create', trace))).events).toEqual([]);
  const { events } = await send(item('generation-update', ended('a')));
  expect(events).toMatchObject([
    { id: 'a', user: 'ada', session: 's-1', model: 'gpt-4o-mini', tokens_input_uncached: 9, latency_ms: 1000 },
  ]);
  expect(JSON.stringify(events)).not.toMatch(/prompt|answer/);
  expect((await send(item('generation-update', ended('a')))).events).toEqual(events);
});

test('beginning and end in one request are one event', async () => {
  const { events } = await send(item('generation-create', begun('b')), item('generation-update', ended('b')));
  expect(events).toMatchObject([{ id: 'b', model: 'gpt-4o-mini', tokens_output: 4 }]);
});

test('each item has a fate by its id: broken ones are named, the others taken', async () => {
  const batch = [
    item('generation-create', { ...begun('c'), ...ended('c') }),
    item('generation-create', {}),
    item('span-create', null),
    7,
  ];
  const { events, fates } = await send(...batch);
  expect(events).toHaveLength(1);
  expect(fates.map(({ ref, error }) => [ref, error?.path])).toEqual([
    [(batch[0] as { id: string }).id, undefined],
    [(batch[1] as { id: string }).id, 'body.id'],
    [(batch[2] as { id: string }).id, 'body'],
    ['', ''],
  ]);
});

test('what is remembered has a bound, and holds no text longer than a field', () => {
  const parts = createParts(2);
  for (const id of ['1', '2', '3']) parts.trace(id, { userId: `user ${id}`, sessionId: 'x'.repeat(2_000) });
  expect([parts.traceOf('1'), parts.traceOf('3')]).toEqual([{}, { userId: 'user 3' }]);
  expect(parts.generation('1', { usage: { input: 1, text: 'x', unit: 'TOKENS' } })).toEqual({
    usage: { input: 1, unit: 'TOKENS' },
  });
});
