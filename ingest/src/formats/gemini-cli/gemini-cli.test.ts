import { describe, expect, test } from 'vitest';
import { fixture, run } from '../../testing/format-run.ts';
import { logsBody } from '../../testing/otlp-bodies.ts';
import { otlpLogsFormat } from '../otlp/otlp.ts';
import { geminiCliMapper } from './gemini-cli.ts';

const logs = otlpLogsFormat([geminiCliMapper]);

const RESPONSE = {
  'event.name': 'gemini_cli.api_response',
  'event.timestamp': '2026-11-20T23:15:51.789Z',
  'session.id': '9e80c72f',
  'installation.id': 'e20bf2b6',
  model: 'gemini-2.5-pro',
  input_token_count: 100,
  output_token_count: 10,
};
async function one(attributes: Record<string, unknown>, resource: Record<string, unknown> = {}) {
  const record = { timeUnixNano: '1795216551790000000', attributes: { ...RESPONSE, ...attributes } };
  const { events, errors } = await run(logs, logsBody(resource, 'gemini-cli', [record]));
  expect(errors).toEqual([]);
  expect(events).toHaveLength(1);
  return events[0]!;
}

describe('Gemini CLI logs', () => {
  test('as captured: one request is one event, thoughts are output, and the two prompts beside it leave nothing', async () => {
    const { events, rejected, ignored } = await run(logs, fixture(import.meta.url, 'logs.http-json.json'));
    expect(rejected).toBe(0);
    expect(events).toHaveLength(1);
    expect(events[0]).toMatchObject({
      source: 'gemini-cli',
      time: Date.parse('2026-11-20T23:15:51.790Z'),
      session: '9e80c72f-9044-42bf-bc95-d03667acc58c',
      user: 'e20bf2b6-fb88-4d98-a062-90f1b14997b7',
      agent: 'gemini-cli',
      agent_version: '',
      host: 'vm',
      provider: 'google',
      model: 'gemini-2.5-pro',
      credential_kind: 'api_key',
      outcome: 'success',
      status_code: 200,
      tokens_input_uncached: 4027,
      tokens_cache_read: 4096,
      tokens_output: 37,
      latency_ms: 49,
      cost_basis: 'estimated',
    });
    expect(Object.fromEntries(ignored)).toMatchObject({ api_request: 1, genai_details: 2, user_prompt: 1 });
    expect(JSON.stringify(events)).not.toContain('non-interactive');
  });

  test('tokens of tools and thoughts count once, inside or beside input and output as the sum says', async () => {
    const parts = { thoughts_token_count: 5, tool_token_count: 3 };
    expect(await one({ ...parts, total_token_count: 118 })).toMatchObject({
      tokens_input_uncached: 103,
      tokens_output: 15,
    });
    expect(await one({ ...parts, total_token_count: 110 })).toMatchObject({
      tokens_input_uncached: 100,
      tokens_output: 10,
    });
    expect(await one(parts)).toMatchObject({ tokens_input_uncached: 103, tokens_output: 15 });
  });

  test.each([
    ['429', 'rate_limited', 429],
    [403, 'denied', 403],
    ['ECONNRESET', 'failed', 0],
  ])('an error with status %s is %s', async (status, outcome, code) => {
    const event = await one({ 'event.name': 'gemini_cli.api_error', status_code: status });
    expect(event).toMatchObject({ outcome, status_code: code, tokens_output: 0, cost_basis: 'none' });
  });

  test.each([
    [{ auth_type: 'oauth-personal', 'user.email': 'ada@example.com' }, {}, 'oauth', 'ada@example.com'],
    [{ auth_type: 'vertex-ai' }, {}, 'none', 'e20bf2b6'],
    [{ auth_type: 'gemini-api-key' }, { 'apikey.hint': 'AIzaSyA...wxyz' }, 'api_key', 'e20bf2b6'],
  ])('signed in as %j with resource %j the credential is %s', async (attributes, resource, kind, user) => {
    expect(await one(attributes, resource)).toMatchObject({ credential_kind: kind, user });
  });
});
