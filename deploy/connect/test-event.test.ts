import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, expect, test } from 'vitest';
import { clientConfigurations } from '@lanewatch/ingest/contract/client-configuration';
import { sendTestEvent } from './test-event.ts';

let close: () => void = () => undefined;
afterEach(() => close());

/** An ingest that gives these answers one after the other, the last one again and again; and what it was sent. */
async function ingestAnswering(...answers: [status: number, body: string][]) {
  const sent: { url: string; body: unknown }[] = [];
  const server = createServer((request, response) => {
    let text = '';
    request.on('data', (chunk: Buffer) => (text += chunk.toString()));
    request.on('end', () => {
      sent.push({ url: request.url!, body: JSON.parse(text) });
      const [status, body] = answers.length > 1 ? answers.shift()! : answers[0]!;
      response.writeHead(status).end(body);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  close = () => server.close();
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, sent };
}

test.each([...new Set(clientConfigurations('http://x', 'k').map(({ route }) => route))])(
  'a test event goes to %s and names the agent it comes from',
  async (route) => {
    const { url, sent } = await ingestAnswering([200, '{}']);
    expect(await sendTestEvent(url, 'k', route, 0)).toMatchObject({ ok: true });
    expect(sent).toHaveLength(1);
    expect(sent[0]!.url).toBe(route);
    expect(JSON.stringify(sent[0]!.body)).toContain('lanewatch-connect');
  },
);

test.each([
  [403, '{"detail":"The key was revoked."}', /403: The key was revoked/],
  [403, '{"code":7,"message":"The key was revoked."}', /403: The key was revoked/],
  [502, 'bad gateway', /502: bad gateway/],
  [200, '{"partialSuccess":{"rejectedLogRecords":"1","errorMessage":"time"}}', /not the event/],
  [200, '{"accepted":0,"rejected":1}', /not the event/],
  [207, '{"successes":[],"errors":[{"id":"x"}]}', /not the event/],
])('an answer of %i %s is a failure with the reason', async (status, body, reason) => {
  const { url } = await ingestAnswering([status, body]);
  const { ok, message } = await sendTestEvent(url, 'k', '/v1/logs', 0);
  expect(ok).toBe(false);
  expect(message).toMatch(reason);
});

test('a key that was just issued may be unknown for a moment', async () => {
  const { url, sent } = await ingestAnswering([401, '{}'], [200, '{}']);
  expect(await sendTestEvent(url, 'k', '/v1/logs', 60_000)).toMatchObject({ ok: true });
  expect(sent[0]!.body).toEqual(sent[1]!.body);
});

test('where nobody listens it says so', async () => {
  expect((await sendTestEvent('http://127.0.0.1:1', 'k', '/v1/logs', 0)).message).toMatch(/does not answer/);
});
