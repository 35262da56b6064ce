import { expect, test } from 'vitest';
import { run } from '../../testing/format-run.ts';
import { openmeterFormat } from './openmeter.ts';

const event = (data: unknown, more: object = {}) => ({
  specversion: '1.0',
  type: 'prompt',
  id: '1',
  source: 'service-0',
  subject: 'customer-1',
  ...more,
  data,
});
const send = async (body: object) => (await run(openmeterFormat, JSON.stringify(body))).events;

test.each([
  [
    { tokens: '123', type: 'input', model: 'gpt-4o-mini' },
    { tokens_input_uncached: 123, action: 'execution' },
  ],
  [{ tokens: 7, type: 'output' }, { tokens_output: 7 }],
  [
    { input_tokens: 9, output_tokens: '4' },
    { tokens_input_uncached: 9, tokens_output: 4 },
  ],
  [
    { duration_seconds: '12', method: 'GET', route: '/hello' },
    { action: 'access', latency_ms: 12_000, operation: 'prompt' },
  ],
])('%j', async (data, expected) => {
  expect(await send(event(data))).toMatchObject([{ source: 'service-0', id: '1', user: 'customer-1', ...expected }]);
});

test('of a batch a broken event is refused and the others are taken; without a time it is that of receipt', async () => {
  const { events, rejected } = await run(openmeterFormat, JSON.stringify([event({}), event({}, { type: '' })]));
  expect([events.length, rejected]).toEqual([1, 1]);
  expect(events[0]!.time).toBe(events[0]!.received_at);
});
