import { once } from 'node:events';
import { type IncomingMessage, request as httpRequest } from 'node:http';
import type { Writable } from 'node:stream';
import { gzipSync } from 'node:zlib';
import { expect, test } from 'vitest';
import { fingerprintOf, hintOf } from '../../contract/index.ts';
import { createPolicyView } from './policy.ts';
import { parseProviders } from './providers.ts';
import { body, proxied, SECRET } from './testing/proxied.ts';

test('a request reaches the provider as it was sent, and its answer the client', async () => {
  let seen: { target: string; headers: string[]; body: string } | undefined;
  const answer = gzipSync(
    JSON.stringify({ id: 'resp_1', model: 'claude-sonnet-4-5', usage: { input_tokens: 5, output_tokens: 2 } }),
  );
  const { url, reported } = await proxied((request, response) => {
    void body(request).then((bytes) => {
      seen = { target: request.url!, headers: request.rawHeaders, body: bytes.toString() };
      response
        .writeHead(200, {
          'Content-Type': 'application/json',
          'content-encoding': 'gzip',
          'request-id': 'req_1',
          'x-ratelimit-limit-requests': '5000',
          'x-ratelimit-remaining-requests': '4999',
          'set-cookie': ['a=1', 'b=2'],
        })
        .end(answer);
    });
  });
  const sent = httpRequest(`${url}/openai/v1/responses?beta=true&x=%2F`, {
    method: 'POST',
    headers: {
      'X-Custom-Case': 'Kept',
      authorization: `Bearer ${SECRET}`,
      'user-agent': 'claude-cli/2.1.330 (external, cli)',
      'x-claude-code-session-id': 's-1',
      'x-lanewatch-user': 'ada@example.com',
      'content-type': 'application/json',
    },
  });
  sent.end('{"stream":false}');
  const [response] = (await once(sent, 'response')) as [IncomingMessage];
  expect(await body(response)).toEqual(answer);
  expect(response.statusCode).toBe(200);
  expect(response.headers['content-encoding']).toBe('gzip');
  expect(response.headers['set-cookie']).toEqual(['a=1', 'b=2']);
  expect(seen).toMatchObject({ target: '/base/v1/responses?beta=true&x=%2F', body: '{"stream":false}' });
  expect(seen!.headers).toContain('X-Custom-Case');
  expect(seen!.headers.map((name) => name.toLowerCase())).not.toContain('x-lanewatch-user');
  expect(await reported()).toMatchObject({
    source: 'proxy/openai',
    fingerprint: fingerprintOf(SECRET),
    hint: hintOf(SECRET),
    credential_kind: 'api_key',
    user: 'ada@example.com',
    session: 's-1',
    agent: 'claude-code',
    agent_version: '2.1.330',
    request_id: 'req_1',
    response_id: 'resp_1',
    rate_limits: '{"requests":{"limit":5000,"remaining":4999}}',
    provider: 'openai',
    model: 'claude-sonnet-4-5',
    action: 'execution',
    operation: 'POST /v1/responses',
    outcome: 'success',
    status_code: 200,
    tokens_input_uncached: 5,
    tokens_output: 2,
    reporter: 'proxy',
    collector: 'observing-proxy',
  });
});

test('a stream arrives piece by piece, before the provider has sent the next one', async () => {
  let sendRest: () => void = () => undefined;
  const { url, reported } = await proxied((_request, response) => {
    response.writeHead(200, { 'content-type': 'text/event-stream' });
    response.write('data: {"type":"message_start","message":{"model":"m","usage":{"input_tokens":3}}}\n\n');
    sendRest = () => response.end('data: {"type":"message_delta","usage":{"output_tokens":9}}\n\n');
  });
  const response = await fetch(`${url}/anthropic/v1/messages`, {
    method: 'POST',
    body: '{}',
    headers: { 'x-api-key': SECRET },
  });
  const reader = response.body!.getReader();
  expect(Buffer.from((await reader.read()).value!).toString()).toContain('message_start');
  sendRest();
  expect(Buffer.from((await reader.read()).value!).toString()).toContain('message_delta');
  expect((await reader.read()).done).toBe(true);
  expect(await reported()).toMatchObject({ tokens_input_uncached: 3, tokens_output: 9, model: 'm' });
});

test('a client that goes away ends the request at the provider, and what it used until then is told', async () => {
  let ended: Promise<unknown> = Promise.resolve();
  const { url, reported } = await proxied((_request, response) => {
    ended = once(response, 'close');
    response.writeHead(200, { 'content-type': 'text/event-stream' });
    response.write('data: {"type":"message_start","message":{"model":"m","usage":{"input_tokens":3}}}\n\n');
  });
  const leave = new AbortController();
  const response = await fetch(`${url}/anthropic/v1/messages`, { method: 'POST', body: '{}', signal: leave.signal });
  await response.body!.getReader().read();
  leave.abort();
  await ended;
  expect(await reported()).toMatchObject({ tokens_input_uncached: 3, status_code: 200, outcome: 'success' });
});

test('neither side is read faster than the other takes it', async () => {
  const size = 64 * 1024 * 1024;
  const pieces = Array<Buffer>(1024).fill(Buffer.alloc(64 * 1024));
  let upload: IncomingMessage | undefined;
  let asked = 0;
  let answered = 0;
  const { url, reported } = await proxied((request, response) => {
    upload = request;
    request.once('end', () => {
      response.writeHead(200, { 'content-type': 'application/octet-stream' });
      void writeAll(response, pieces, (bytes) => (answered += bytes));
    });
  });
  const sent = httpRequest(`${url}/openai/v1/files`, {
    method: 'POST',
    headers: { authorization: `Bearer ${SECRET}` },
  });
  void writeAll(sent, pieces, (bytes) => (asked += bytes));
  // The provider reads nothing: what was sent lies in the buffers between, and stays far from all of it.
  expect(await settled(() => asked)).toBeLessThan(size / 2);
  upload!.resume();
  const [response] = (await once(sent, 'response')) as [IncomingMessage];
  expect(await settled(() => answered)).toBeLessThan(size / 2);
  expect((await body(response)).length).toBe(size);
  expect(await reported()).toMatchObject({ action: 'access', operation: 'POST /v1/files' });
});

/** Writes as fast as it is taken. */
async function writeAll(to: Writable, pieces: Buffer[], onTaken: (bytes: number) => void): Promise<void> {
  for (const piece of pieces) {
    if (!to.write(piece)) await once(to, 'drain');
    onTaken(piece.length);
  }
  to.end();
}

/** A number that grows, once it does not. */
async function settled(read: () => number): Promise<number> {
  let before = -1;
  await expect
    .poll(
      () => {
        const isSettled = read() === before && before > 0;
        before = read();
        return isSettled;
      },
      { interval: 100, timeout: 10_000 },
    )
    .toBe(true);
  return before;
}

test('a key in the address is known by its fingerprint, and stands in no event', async () => {
  const key = `AIza${'eF5_-'.repeat(7)}`;
  let target = '';
  const { url, reported } = await proxied((request, response) => {
    target = request.url!;
    response.writeHead(200, { 'content-type': 'application/json' }).end('{}');
  });
  await fetch(`${url}/google/v1beta/models/gemini-2.5-pro:generateContent?key=${key}`, { method: 'POST', body: '{}' });
  expect(target).toContain(key);
  const event = await reported();
  expect(event).toMatchObject({ fingerprint: fingerprintOf(key), model: 'gemini-2.5-pro', action: 'execution' });
  expect(JSON.stringify(event)).not.toContain(key);
});

test.each([
  ['anthropic', 'sk-ant-oat01-abcdefghijklmnop'],
  ['openai', 'eyJhbGciOi.eyJzdWIi.c2ln'],
])('a token of a sign-in at %s names no key', async (provider, token) => {
  const { url, reported } = await proxied((_request, response) => response.end());
  await fetch(`${url}/${provider}/v1/models`, { headers: { authorization: `Bearer ${token}` } });
  expect(await reported()).toMatchObject({ credential_kind: 'oauth', fingerprint: '', hint: '' });
});

test.each([
  ['anthropic', { type: 'error', error: { type: 'permission_error', code: 'lanewatch_policy_unknown' } }],
  ['openai', { error: { type: 'invalid_request_error', code: 'lanewatch_policy_unknown' } }],
  ['google', { error: { code: 403, status: 'PERMISSION_DENIED' } }],
])('what a policy refuses gets 403 as %s answers it, and does not reach it', async (provider, form) => {
  let reachedProvider = false;
  const { url, reported } = await proxied(() => (reachedProvider = true), {
    policy: createPolicyView(new Set(['unknown'])),
  });
  const response = await fetch(`${url}/${provider}/v1/messages`, {
    method: 'POST',
    body: '{}',
    headers: { 'x-api-key': SECRET },
  });
  expect(response.status).toBe(403);
  const told = (await response.json()) as { error: { message: string } };
  expect(told).toMatchObject(form);
  expect(told.error.message).toMatch(/not registered.*policy "unknown"/s);
  expect(told.error.message).not.toContain(SECRET);
  expect(reachedProvider).toBe(false);
  expect(await reported()).toMatchObject({ outcome: 'denied', status_code: 403, fingerprint: fingerprintOf(SECRET) });
});

test('whatever is wrong with Lanewatch, requests go through and it is said', async () => {
  const { url, faults } = await proxied((_request, response) => response.end('ok'), {
    policy: createPolicyView(new Set(['unknown'])),
    isRegistryKnown: () => false,
    publish: () => Promise.reject(new Error('the bus is down')),
  });
  const response = await fetch(`${url}/openai/v1/models`, { headers: { 'x-api-key': SECRET } });
  expect([response.status, await response.text()]).toEqual([200, 'ok']);
  await expect
    .poll(() => faults)
    .toEqual(['the proxy let a request pass unjudged', 'the proxy could not report a request']);
});

test('a provider that is not reached is told in its own form; one that breaks off cuts the answer', async () => {
  let isBreaking = false;
  const { url, events } = await proxied((request, response) => {
    if (!isBreaking) {
      request.socket.destroy();
      return;
    }
    response.writeHead(200, { 'content-type': 'text/event-stream' });
    response.write('data: {}\n\n', () => request.socket.destroy());
  });
  const response = await fetch(`${url}/anthropic/v1/messages`, { method: 'POST', body: '{}' });
  expect(response.status).toBe(502);
  expect(await response.json()).toMatchObject({ type: 'error', error: { type: 'api_error' } });
  isBreaking = true;
  const cut = await fetch(`${url}/anthropic/v1/messages`, { method: 'POST', body: '{}' });
  await expect(cut.text()).rejects.toThrow();
  await expect.poll(() => events.map(({ outcome }) => outcome)).toEqual(['failed', 'failed']);
});

test('another provider than those set up is none', async () => {
  const { url } = await proxied(() => undefined);
  for (const path of ['/mistral/v1/models', '', '/']) {
    const response = await fetch(url + path);
    expect(response.status).toBe(404);
    expect(await response.text()).toContain('/proxy/anthropic, /proxy/openai, /proxy/google');
  }
});

test.each([
  ['groq', /needs its address/],
  ['groq=ftp://x', /must be http/],
  ['Groq=https://x', /is no name/],
  ['openai,openai', /named twice/],
  ['a=https://user:pw@x', /without user/],
])('the setting %s is refused with a reason', (text, reason) => {
  expect(parseProviders(text)).toMatch(reason);
});
