import { expect, test } from 'vitest';
import { fingerprintOf } from '../../../contract/index.ts';
import { run } from '../../testing/format-run.ts';
import { nginxFormat } from './nginx.ts';

/** As `log_format … escape=json` writes it: every value is a text. */
const LINE = {
  time_iso8601: '2026-11-20T23:15:42+00:00',
  msec: '1795216542.806',
  remote_addr: '10.0.0.7',
  request_method: 'POST',
  request_uri: '/v1/messages?beta=true',
  status: '200',
  request_time: '1.250',
  host: 'api.anthropic.com',
  http_user_agent: 'claude-cli/2.1.332 (external, cli)',
  request_id: '7c3d36f955a2051671a26cb08f77bd56',
};
const KEY = `sk-ant-api03-${'aB3-_'.repeat(18)}xyzAA`;
const send = async (change: object) => (await run(nginxFormat, JSON.stringify({ ...LINE, ...change }))).events[0];

test('a line tells who asked what where, and nothing of its query', async () => {
  expect(await send({})).toMatchObject({
    source: 'nginx',
    time: 1795216542806,
    ip: '10.0.0.7',
    agent: 'claude-code',
    agent_version: '2.1.332',
    provider: 'anthropic',
    action: 'execution',
    operation: 'POST /v1/messages',
    outcome: 'success',
    status_code: 200,
    latency_ms: 1250,
  });
});

test('the combined request field is read as well, and a refused request is denied', async () => {
  const combined = { request_method: '', request_uri: '', request: 'GET /models?key=AIzaSy HTTP/1.1', status: '403' };
  expect(await send(combined)).toMatchObject({ operation: 'GET /models', action: 'access', outcome: 'denied' });
});

test.each([
  ['of a known form', KEY, ['raw_key_hashed']],
  ['of any other', 'k7Qw2mZp9Lx4Vt6Rb1Nc8Hd3', []],
])('a key %s that was logged against all advice becomes its fingerprint', async (_, key, flags) => {
  const event = await send({ http_authorization: `Bearer ${key}` });
  expect(event).toMatchObject({ fingerprint: fingerprintOf(key), flags });
  expect(JSON.stringify(event)).not.toContain(key);
});
