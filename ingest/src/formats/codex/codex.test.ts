import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { fixture, run } from '../../testing/format-run.ts';
import { logsBody } from '../../testing/otlp-bodies.ts';
import { otlpLogsFormat } from '../otlp/otlp.ts';
import { codexMapper } from './codex.ts';

const logs = otlpLogsFormat([codexMapper]);
const load = (name: string) => fixture(import.meta.url, name);
const LEAKED = 'v0.169.0-logs-tool_result-LEAKED-SECRET.http-json.json';
const PROTOBUF = { mediaType: 'application/x-protobuf' };

/** A record as Codex writes them, which puts nearly every number into a text. */
const record = (name: string, attributes: Record<string, unknown>) => ({
  timeUnixNano: '0',
  observedTimeUnixNano: '1795216542809902102',
  attributes: {
    'event.name': name,
    'event.timestamp': '2026-11-20T23:15:42.809Z',
    'conversation.id': '01a1fb3e-8baf-7eb3-8810-0466eca8267a',
    'app.version': '0.169.0',
    originator: 'codex_exec',
    model: 'gpt-5.1-codex',
    ...attributes,
  },
});
const completed = { 'event.kind': 'response.completed', input_token_count: '1234', output_token_count: '56' };
const usage = (attributes: Record<string, unknown> = {}, resource: Record<string, unknown> = {}) =>
  run(
    logs,
    logsBody({ 'service.name': 'codex_exec', ...resource }, 'codex_otel.log_only', [
      record('codex.sse_event', { ...completed, ...attributes }),
    ]),
  );

describe('Codex logs as captured', () => {
  test('one request is one event with session, model, disjoint tokens and a list price', async () => {
    const { events, rejected, ignored } = await run(logs, load('v0.169.0-logs.http-json.json'));
    expect(rejected).toBe(0);
    expect(events).toHaveLength(1);
    expect(events[0]).toMatchObject({
      source: 'codex',
      time: Date.parse('2026-11-20T23:15:42.809Z'),
      session: '01a1fb3e-8baf-7eb3-8810-0466eca8267a',
      agent: 'codex',
      agent_version: '0.169.0',
      host: 'vm',
      environment: 'staging',
      provider: 'openai',
      model: 'gpt-5.1-codex',
      credential_kind: 'api_key',
      outcome: 'success',
      tokens_input_uncached: 234,
      tokens_cache_read: 1000,
      tokens_cache_write: 0,
      tokens_output: 56,
      // 234 at $1.25, 1000 at $0.125 and 56 at $10 a million.
      cost_nano_usd: 977_500,
      cost_basis: 'estimated',
    });
    expect(ignored.get('api_request')).toBe(1);
    expect(ignored.get('sse_event')).toBe(3);
  });

  test('protobuf gives the same fields, and a resend the same identity', async () => {
    const send = () => run(logs, load('v0.169.0-logs.http-protobuf.pb'), PROTOBUF);
    const [first, second] = [await send(), await send()];
    expect(first.events).toHaveLength(1);
    expect(first.events[0]).toMatchObject({ model: 'gpt-5.1-codex', tokens_input_uncached: 234, tokens_output: 56 });
    expect(second.events[0]!.id).toBe(first.events[0]!.id);
  });

  test('of commands and their output, which Codex exports with the keys in them, nothing is kept', async () => {
    const { events } = await run(logs, load(LEAKED));
    expect(events.map(({ tokens_input_uncached: input }) => input)).toEqual([900, 234]);
    expect(JSON.stringify(events)).not.toMatch(/api03|exec_command/);
  });
});

describe('Codex requests', () => {
  test.each([
    ['codex.api_request', { 'http.response.status_code': '429', endpoint: '/responses' }, 'rate_limited', 429],
    ['codex.api_request', { 'http.response.status_code': 401, 'error.message': 'x' }, 'denied', 401],
    ['codex.api_request', { 'error.message': 'connection refused' }, 'failed', 0],
    ['codex.websocket_request', { 'error.message': 'closed' }, 'failed', 0],
    ['codex.sse_event', { 'event.kind': 'response.failed', 'error.message': '{}' }, 'failed', 0],
    ['codex.sse_event', { 'error.message': 'idle timeout waiting for SSE' }, 'failed', 0],
  ])('%s with %j is %s', async (name, attributes, outcome, status) => {
    const { events } = await run(logs, logsBody({}, 'codex_otel.log_only', [record(name, attributes)]));
    expect(events).toHaveLength(1);
    expect(events[0]).toMatchObject({ outcome, status_code: status, tokens_output: 0 });
  });

  test('an item of an answer that cannot be read is not the end of the answer', async () => {
    const body = logsBody({}, 'codex_otel.log_only', [
      record('codex.sse_event', { 'event.kind': 'response.output_item.done', 'error.message': 'failed to parse' }),
    ]);
    expect(await run(logs, body)).toMatchObject({ events: [], rejected: 0 });
  });

  test('resource attributes name key, repository and person', async () => {
    const { events } = await usage(
      {},
      { 'apikey.hint': 'sk-proj-abc...wxyz', 'vcs.repository.name': 'payments', 'enduser.id': 'ada@example.com' },
    );
    expect(events[0]).toMatchObject({
      credential_kind: 'api_key',
      hint: 'sk-proj-abc...wxyz',
      repo: 'payments',
      user: 'ada@example.com',
    });
  });

  test('signed in with ChatGPT it uses no key', async () => {
    const { events } = await usage({ auth_mode: 'Chatgpt', 'user.email': 'ada@example.com' });
    expect(events[0]).toMatchObject({ credential_kind: 'oauth', user: 'ada@example.com' });
  });

  test('requests of one conversation that end in the same millisecond stay apart', async () => {
    const [first, second] = [await usage(), await usage({ output_token_count: '57' })];
    expect(first.events[0]!.id).not.toBe(second.events[0]!.id);
  });

  test('whatever the attributes hold, a record is an event, refused or counted, and the next one is read', async () => {
    const value = fc.oneof(fc.string(), fc.double(), fc.boolean(), fc.constant({}), fc.bigInt().map(String));
    const keys = fc.constantFrom(
      ...['input_token_count', 'output_token_count', 'cached_token_count', 'duration_ms', 'model', 'event.timestamp'],
      ...['event.kind', 'http.response.status_code', 'error.message', 'conversation.id', 'apikey.fingerprint'],
    );
    await fc.assert(
      fc.asyncProperty(fc.dictionary(keys, value), async (attributes) => {
        const records = [record('codex.sse_event', attributes), record('codex.sse_event', completed)];
        const { events, rejected, ignored } = await run(logs, logsBody({}, 'codex_otel.log_only', records));
        expect(events.length + rejected + (ignored.get('sse_event') ?? 0)).toBe(2);
        expect(events.at(-1)).toMatchObject({ tokens_input_uncached: 1234, tokens_output: 56 });
      }),
    );
  });
});
