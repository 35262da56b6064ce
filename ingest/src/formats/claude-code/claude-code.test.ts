import { describe, expect, test } from 'vitest';
import type { UsageEvent } from '../../../contract/index.ts';
import { fixture, RECEIVED_AT, run } from '../../testing/format-run.ts';
import { otlpLogsFormat } from '../otlp/otlp.ts';
import { claudeCodeMapper } from './claude-code.ts';

const logs = otlpLogsFormat([claudeCodeMapper]);
const load = (name: string) => fixture(import.meta.url, name);

interface Attribute {
  key: string;
  value: Record<string, unknown>;
}
interface Body {
  resourceLogs: [
    {
      resource: { attributes: Attribute[] };
      scopeLogs: [{ logRecords: { timeUnixNano: unknown; attributes: Attribute[]; body: { stringValue: string } }[] }];
    },
  ];
}

/** The captured body with something changed; stands for what newer versions and other set-ups send. */
function changed(change: (body: Body) => void): string {
  const body = JSON.parse(load('v2.1.197-logs-api_request.http-json.json').toString()) as Body;
  change(body);
  return JSON.stringify(body);
}

const text = (key: string, stringValue: string): Attribute => ({ key, value: { stringValue } });
const onResource = (...attributes: Attribute[]) =>
  changed((body) => body.resourceLogs[0].resource.attributes.push(...attributes));
const onRequest = (...attributes: Attribute[]) =>
  changed((body) => body.resourceLogs[0].scopeLogs[0].logRecords[1]!.attributes.push(...attributes));

async function only(body: Buffer | string): Promise<UsageEvent> {
  const { events, errors } = await run(logs, body);
  expect(errors).toEqual([]);
  expect(events).toHaveLength(1);
  return events[0]!;
}

const REQUEST: UsageEvent = {
  source: 'claude-code',
  id: 'e8f1',
  time: Date.parse('2026-11-20T23:14:34.576Z'),
  received_at: RECEIVED_AT,
  fingerprint: '',
  hint: '',
  credential_provider: '',
  credential_kind: 'api_key',
  org: '',
  user: 'eaee6dd2829158393d6936b351fcf859b037d29ab24f900c9b37c3f5d3df039d',
  ip: '203.0.113.9',
  host: '',
  agent: 'claude-code',
  agent_version: '2.1.197',
  session: 'f53749e0-4af2-473a-83a6-2ee55bf8d736',
  request_id: 'req_011CAPTURED00000000000000',
  repo: '',
  branch: '',
  provider: 'anthropic',
  model: 'claude-sonnet-4-5',
  module: '',
  environment: '',
  action: 'execution',
  operation: 'api_request:sdk',
  outcome: 'success',
  status_code: 0,
  tokens_input_uncached: 25,
  tokens_cache_read: 3400,
  tokens_cache_write: 1200,
  tokens_output: 7,
  cost_nano_usd: 5_700_000,
  cost_basis: 'reported',
  latency_ms: 19,
  collector: 'collector-1',
  flags: [],
  served_by: '',
  reporter: 'agent',
  sent_as: '',
  response_id: '',
  rate_limits: '',
};

describe('Claude Code logs as captured', () => {
  test('api_request is mapped whole: session, model, four token counts, cost to the micro-dollar', async () => {
    const event = await only(load('v2.1.197-logs-api_request.http-json.json'));
    expect(event.id).toMatch(/^[0-9a-f]{64}$/);
    expect({ ...event, id: 'e8f1' }).toEqual(REQUEST);
  });

  test('the other records of the same body are counted by kind and not stored', async () => {
    const { ignored } = await run(logs, load('v2.1.197-logs-api_request.http-json.json'));
    expect(Object.fromEntries(ignored)).toEqual({ user_prompt: 1, assistant_response: 1 });
  });

  test('api_error with 401 is a denied request', async () => {
    const event = await only(load('v2.1.197-logs-api_error-401.http-json.json'));
    expect(event).toMatchObject({
      operation: 'api_error:sdk',
      outcome: 'denied',
      status_code: 401,
      session: '662f3a3c-5b1e-416f-9869-0f4583539809',
      request_id: 'req_011CAPTUREDERR0000000000',
      model: 'claude-sonnet-4-5',
      latency_ms: 22,
      cost_nano_usd: 0,
      cost_basis: 'none',
    });
  });

  test('protobuf bodies give the same event as JSON ones', async () => {
    const { events, ignored } = await run(logs, load('v2.1.197-logs.http-protobuf.pb'), {
      mediaType: 'application/x-protobuf',
    });
    expect(events).toHaveLength(1);
    const { session, user, id, time } = events[0]!;
    expect(session).toMatch(/^[0-9a-f-]{36}$/);
    expect(Math.abs(time - REQUEST.time)).toBeLessThan(600_000);
    const { latency_ms, ...common } = REQUEST;
    expect(latency_ms).toBeGreaterThan(0);
    expect(events[0]).toMatchObject({ ...common, session, user, id, time });
    expect(ignored.get('user_prompt')).toBe(1);
  });

  test('the gzip capture, unpacked, gives one request', async () => {
    const event = await only(load('v2.1.197-logs.http-json.json.gz'));
    expect(event).toMatchObject({ session: 'f684e23a-592e-41fd-b5b0-6c84be3a5527', cost_nano_usd: 5_700_000 });
  });

  test.each([
    ['v2.0.77-logs-api_request.http-json.json.gz', 'application/json', 2, '2.0.77', 'api_request'],
    ['v2.0.77-logs-api_request.http-protobuf.pb', 'application/x-protobuf', 1, '2.0.77', 'api_request'],
    ['v2.1.330-logs-api_request.http-protobuf.pb.gz', 'application/x-protobuf', 1, '2.1.330', 'api_request:sdk'],
  ])(
    '%s: each request once, with key, repository, tokens and cost',
    async (name, mediaType, count, version, operation) => {
      const { events, errors } = await run(logs, load(name), { mediaType });
      expect(errors).toEqual([]);
      expect(events).toHaveLength(count);
      for (const event of events) {
        expect(event).toMatchObject({
          fingerprint: 'e82b4fce005b9e23feb053291c3a1b4560ebbe5532a309c68823c08b7a68baab',
          hint: 'sk-ant-api03-Y-k...yEAA',
          credential_kind: 'api_key',
          agent: 'claude-code',
          agent_version: version,
          repo: 'payments-api',
          operation,
          outcome: 'success',
          cost_basis: 'reported',
        });
        expect(event.tokens_input_uncached).toBeGreaterThan(19);
        expect(event.tokens_cache_read).toBeGreaterThan(3399);
        expect(event.tokens_cache_write).toBeGreaterThan(1199);
        expect(event.tokens_output).toBeGreaterThan(6);
        expect(event.cost_nano_usd).toBeGreaterThan(1_900_000);
      }
    },
  );

  test('old versions number nothing: requests that end in the same millisecond stay apart, also sent twice', async () => {
    const captured = load('v2.0.77-logs-api_error-529.http-json.json.gz').toString();
    expect(captured).not.toContain('event.sequence');
    const sameMoment = captured
      .replaceAll(/"2026-11-21T11:49:00\.\d{3}Z"/g, '"2026-11-21T11:49:00.219Z"')
      .replaceAll(/"(observedTimeUnixNano|timeUnixNano)":"\d+"/g, '"$1":"1795261740219000000"');
    expect(sameMoment.match(/00\.219Z/g)).toHaveLength(5);
    for (const body of [captured, sameMoment]) {
      const { events } = await run(logs, body);
      expect(new Set(events.map(({ id }) => id)).size).toBe(5);
      expect((await run(logs, body)).events.map(({ id }) => id)).toEqual(events.map(({ id }) => id));
    }
    expect((await run(logs, captured)).events[0]).toMatchObject({ outcome: 'failed', status_code: 529 });
  });

  test('the same record sent twice has the same identity, another record another', async () => {
    const [first] = (await run(logs, load('v2.1.197-logs-api_request.http-json.json'))).events;
    const [again] = (await run(logs, load('v2.1.197-logs-api_request.http-json.json'))).events;
    const [other] = (await run(logs, load('v2.1.197-logs.http-json.json.gz'))).events;
    expect(again!.id).toBe(first!.id);
    expect(other!.id).not.toBe(first!.id);
  });
});

describe('Claude Code logs with more in them', () => {
  test.each([-3, 86_400_001])('a duration of %s ms is left out and the request kept', async (duration) => {
    const event = await only(
      changed((body) => {
        for (const attribute of body.resourceLogs[0].scopeLogs[0].logRecords[1]!.attributes) {
          if (attribute.key === 'duration_ms') attribute.value = { doubleValue: duration };
        }
      }),
    );
    expect(event).toMatchObject({ latency_ms: 0, tokens_input_uncached: 25 });
  });

  const FINGERPRINT = 'a'.repeat(64);

  test('resource attributes name key, repository, branch, environment and user', async () => {
    const event = await only(
      onResource(
        text('apikey.fingerprint', FINGERPRINT),
        text('apikey.hint', 'sk-ant-api03-R2D...igAA'),
        text('vcs.repository.url.full', 'https://dana:s3cret@git.example/acme/payments.git'),
        text('vcs.ref.head.name', 'main'),
        text('deployment.environment', 'production'),
        text('enduser.id', 'dana@acme.example'),
        text('host.name', 'build-7'),
      ),
    );
    expect(event).toMatchObject({
      fingerprint: FINGERPRINT,
      hint: 'sk-ant-api03-R2D...igAA',
      credential_provider: 'anthropic',
      credential_kind: 'api_key',
      repo: 'git.example/acme/payments',
      branch: 'main',
      environment: 'production',
      user: 'dana@acme.example',
      host: 'build-7',
    });
    expect(JSON.stringify(event)).not.toContain('s3cret');
  });

  test('a raw key in apikey.fingerprint becomes fingerprint and hint', async () => {
    const key = `sk-ant-api03-${'Ab1-'.repeat(23)}xyzAA`;
    const event = await only(onResource(text('apikey.fingerprint', key)));
    expect(event.fingerprint).toMatch(/^[0-9a-f]{64}$/);
    expect(event.flags).toContain('raw_key_hashed');
    expect(JSON.stringify(event)).not.toContain(key.slice(20));
  });

  test('a fingerprint that is none is dropped and flagged, the event is kept', async () => {
    const event = await only(
      onResource(text('apikey.fingerprint', 'not-a-hash'), text('apikey.hint', 'sk-ant-...C001')),
    );
    expect(event).toMatchObject({ fingerprint: '', hint: 'sk-ant-...C001', flags: ['fingerprint_invalid'] });
  });

  test('signed in by account it is oauth, with organisation and e-mail', async () => {
    const event = await only(
      onRequest(
        text('organization.id', 'org-1'),
        text('user.email', 'dana@acme.example'),
        text('user.account_uuid', 'u-1'),
      ),
    );
    expect(event).toMatchObject({ credential_kind: 'oauth', org: 'org-1', user: 'dana@acme.example', fingerprint: '' });
  });

  test('through a cloud it uses no key', async () => {
    expect(await only(onRequest(text('anthropic.provider', 'bedrock')))).toMatchObject({
      credential_kind: 'none',
      provider: 'anthropic',
      served_by: 'bedrock',
    });
  });

  test('through a cloud the Anthropic key that the shell holds is not the one in use', async () => {
    const event = await only(load('v2.1.330-logs-api_error-404-vertex.http-json.json.gz'));
    expect(event).toMatchObject({ credential_kind: 'none', fingerprint: '', hint: '', served_by: 'vertex' });
    const cloudKey = text('apikey.fingerprint', FINGERPRINT);
    expect(await only(onRequest(text('anthropic.provider', 'bedrock'), cloudKey))).toMatchObject({
      credential_kind: 'api_key',
      fingerprint: FINGERPRINT,
    });
  });

  test('a long-lived account token that is named like a key is oauth, with its fingerprint', async () => {
    const event = await only(
      onResource(text('apikey.fingerprint', FINGERPRINT), text('apikey.hint', 'sk-ant-oat01-Abc...wxyz')),
    );
    expect(event).toMatchObject({ credential_kind: 'oauth', fingerprint: FINGERPRINT });
  });

  test('numbers as texts and undocumented attributes of newer versions are taken', async () => {
    const event = await only(
      changed((body) => {
        const record = body.resourceLogs[0].scopeLogs[0].logRecords[1]!;
        for (const attribute of record.attributes) {
          if ('intValue' in attribute.value) attribute.value = { intValue: String(attribute.value.intValue) };
          if (attribute.key === 'duration_ms') attribute.value = { stringValue: '19' };
        }
        record.attributes.push(
          text('anthropic.provider', 'firstParty'),
          { key: 'anthropic.custom_base_url', value: { boolValue: true } },
          { key: 'cache_creation_5m_tokens', value: { intValue: 1200 } },
          { key: 'empty', value: {} },
        );
      }),
    );
    expect({ ...event, id: 'e8f1' }).toEqual(REQUEST);
  });

  test('without micro-dollars the dollars are rounded to nine places', async () => {
    const event = await only(
      changed((body) => {
        const record = body.resourceLogs[0].scopeLogs[0].logRecords[1]!;
        record.attributes = record.attributes.filter(({ key }) => key !== 'cost_usd_micros');
      }),
    );
    expect(event).toMatchObject({ cost_nano_usd: 5_700_000, cost_basis: 'reported' });
  });

  test('without any cost it is estimated from the list price, which agrees with what Claude Code reports', async () => {
    const event = await only(
      changed((body) => {
        const record = body.resourceLogs[0].scopeLogs[0].logRecords[1]!;
        record.attributes = record.attributes.filter(({ key }) => !key.startsWith('cost_usd'));
      }),
    );
    expect(event).toMatchObject({ cost_nano_usd: 5_700_000, cost_basis: 'estimated' });
  });

  test('a time in the far future is kept, flagged and clamped', async () => {
    const event = await only(
      changed((body) => {
        body.resourceLogs[0].scopeLogs[0].logRecords[1]!.timeUnixNano = '99999999999999999999';
      }),
    );
    expect(event.flags).toEqual(['time_future', 'time_clamped']);
  });

  test('429 is rate limited, 529 failed, no status failed', async () => {
    for (const [status, outcome] of [
      ['429', 'rate_limited'],
      ['529', 'failed'],
      ['undefined', 'failed'],
    ] as const) {
      const event = await only(
        changed((body) => {
          const record = body.resourceLogs[0].scopeLogs[0].logRecords[1]!;
          record.body.stringValue = 'claude_code.api_error';
          record.attributes = record.attributes.filter(({ key }) => key !== 'event.name');
          record.attributes.push(text('event.name', 'api_error'), text('status_code', status));
        }),
      );
      expect(event.outcome).toBe(outcome);
    }
  });

  test('an invented event name is counted as other, so that it cannot become a metric label', async () => {
    const { ignored } = await run(
      logs,
      changed((body) => {
        body.resourceLogs[0].scopeLogs[0].logRecords[0]!.attributes.push(text('event.name', 'x'.repeat(1000)));
      }),
    );
    expect(ignored.get('other')).toBe(1);
  });
});
