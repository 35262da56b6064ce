import { expect, test } from 'vitest';
import { fixture, run } from '../../testing/format-run.ts';
import { envoyFormat } from './envoy.ts';

const LLM = JSON.parse(fixture(import.meta.url, 'llm-access-log.json').toString()) as Record<string, unknown>;
const send = async (...records: object[]) =>
  (await run(envoyFormat, records.map((record) => JSON.stringify(record)).join('\n'))).events;

test('a request of a model tells model, backend, tokens, status, address and program', async () => {
  expect(await send(LLM)).toMatchObject([
    {
      source: 'envoy',
      time: Date.parse('2025-08-30T16:51:37.894Z'),
      ip: '192.168.1.38',
      agent: 'curl',
      agent_version: '8.7.1',
      request_id: '83b63da3-45a9-4196-98b8-1a7f697d6d8d',
      module: 'default/tars/route/aigw-run/rule/0/ref/0',
      model: 'gpt-4o-mini',
      action: 'execution',
      operation: 'POST /v1/chat/completions',
      outcome: 'success',
      status_code: 200,
      tokens_input_uncached: 15,
      tokens_output: 7,
      cost_basis: 'estimated',
      latency_ms: 1526,
    },
  ]);
});

test('a call of an MCP server is an access', async () => {
  const { events } = await run(envoyFormat, fixture(import.meta.url, 'mcp-access-log.json'));
  expect(events).toMatchObject([{ action: 'access', operation: 'mcp:tools/call', module: 'context7', model: '' }]);
});

test('dashes are nothing, numbers may be texts, and no answer at all is a failure', async () => {
  const [event] = await send({ ...LLM, response_code: '0', genai_model_name: '-', genai_tokens_input: '9' });
  expect(event).toMatchObject({ model: '', tokens_input_uncached: 9, outcome: 'failed', status_code: 0 });
});

test('the same request id at another time is another request, and the same record the same event', async () => {
  const [first, again, later] = await send(LLM, LLM, { ...LLM, start_time: '2025-08-30T16:51:38.894Z' });
  expect(again!.id).toBe(first!.id);
  expect(later!.id).not.toBe(first!.id);
});
