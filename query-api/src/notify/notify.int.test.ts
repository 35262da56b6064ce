import { createHmac } from 'node:crypto';
import { createServer } from 'node:http';
import type { IncomingHttpHeaders, Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { SMTPServer } from 'smtp-server';
import { afterAll, beforeAll, beforeEach, expect, inject, test } from 'vitest';
import { engineOf, startHarness } from '../testing/harness.ts';
import type { Harness } from '../testing/harness.ts';
import { finding } from '../testing/registry.ts';
import { startNotifier } from './notifier.ts';

interface Posted {
  headers: IncomingHttpHeaders;
  body: string;
}

let api: Harness;
let target: Server;
let smtp: SMTPServer;
let posted: Posted[] = [];
const mails: string[] = [];
let status = 200;
let nowMs = Date.now();

beforeAll(async () => {
  target = createServer((request, response) => {
    let body = '';
    request.on('data', (chunk) => (body += String(chunk)));
    request.on('end', () => {
      posted.push({ headers: request.headers, body });
      response.writeHead(status).end();
    });
  });
  smtp = new SMTPServer({
    authOptional: true,
    disabledCommands: ['STARTTLS'],
    onData(stream, _session, done) {
      let mail = '';
      stream.on('data', (chunk) => (mail += String(chunk)));
      stream.on('end', () => {
        mails.push(mail);
        done();
      });
    },
  });
  await Promise.all([
    new Promise<void>((resolve) => target.listen(0, '127.0.0.1', resolve)),
    new Promise<void>((resolve) => smtp.listen(0, '127.0.0.1', resolve)),
  ]);
  const { port } = smtp.server.address() as AddressInfo;
  api = await startHarness({
    engine: engineOf(inject('clickhouseServer')),
    now: () => nowMs,
    notify: { smtpUrl: `smtp://127.0.0.1:${port}`, mailFrom: 'Lanewatch <watch@example.com>', allowPrivate: true },
  });
});
afterAll(async () => {
  await api.close();
  target.close();
  await new Promise<void>((resolve) => smtp.close(() => resolve()));
});
beforeEach(async () => {
  await api.services.notifier.round();
  posted = [];
  status = 200;
});

const url = (): string => `http://127.0.0.1:${(target.address() as AddressInfo).port}/hook`;
const idsIn = ({ body }: Posted): string[] => JSON.parse(body).findings.map(({ id }: { id: string }) => id);
const later = (minutes: number): string => new Date(nowMs + minutes * 60_000).toISOString();

async function channel(body: object) {
  const made = await api.post('/v1/channels', { name: 'on call', kind: 'webhook', url: url(), ...body });
  expect(made.status).toBe(201);
  await api.services.notifier.round();
  const off = () => api.patch(`/v1/channels/${made.body.channel.id}`, { enabled: false });
  return { ...made.body, off };
}

test('a webhook is told once of each finding that is new, signed, and again when it is re-opened', async () => {
  const before = finding({ rule: 'R01', lane: 'there-before' });
  await api.storeFindings([before]);
  const { channel: made, signing_secret: secret, off } = await channel({ severity: 'high' });
  expect(made.target).not.toContain('hook');
  const [one, mild] = [
    finding({ rule: 'R01', lane: 'new' }),
    finding({ rule: 'R05', lane: 'new', severity: 'medium', risk: 47 }),
  ];
  await api.storeFindings([one, mild, { ...before, occurrences: 2 }]);
  // Killed between the answer and its being noted: the same message comes again, under the same id.
  await api.services.notifier.round();
  await api.database.db.updateTable('channel_notices').set({ state: 'waiting' }).where('state', '=', 'sent').execute();
  const another = startNotifier(
    { ...api.services.delivery, registry: api.services.registry, database: api.database },
    { everyMs: 0, onFault: () => undefined },
  );
  await another.round();
  await another.round();
  await another.close();
  expect(posted.map(idsIn)).toEqual([[one.id], [one.id]]);
  expect(new Set(posted.map(({ headers }) => headers['idempotency-key'])).size).toBe(1);
  const { headers, body } = posted[0]!;
  const [, seconds, signature] = /^t=(\d+),v1=([0-9a-f]{64})$/.exec(String(headers['lanewatch-signature']))!;
  expect(signature).toBe(createHmac('sha256', secret).update(`${seconds}.${body}`).digest('hex'));

  posted = [];
  await api.post(`/v1/findings/${one.id}/resolve`);
  await api.storeFindings([{ ...one, occurrences: 2, last_received_at: later(5) }]);
  await api.services.notifier.round();
  await api.services.notifier.round();
  expect(posted.map((message) => JSON.parse(message.body).findings[0].status)).toEqual(['reopened']);
  await off();
});

test('nothing is lost while a target is down for an hour, and each finding is told once when it is back', async () => {
  const { channel: made, off } = await channel({});
  const found = ['a', 'b', 'c'].map((lane) => finding({ rule: 'R01', lane: `down-${lane}` }));
  status = 503;
  await api.storeFindings(found.slice(0, 2));
  for (let minute = 0; minute < 60; minute += 5) {
    await api.services.notifier.round();
    nowMs += 5 * 60_000;
  }
  await api.storeFindings(found.slice(2));
  const { items } = (await api.get('/v1/channels')).body;
  expect(items.find(({ id }: { id: string }) => id === made.id)).toMatchObject({ waiting: 2, failing: 2 });
  status = 200;
  posted = [];
  nowMs += 10 * 60_000;
  await api.services.notifier.round();
  await api.services.notifier.round();
  expect(posted.flatMap(idsIn).toSorted()).toEqual(found.map(({ id }) => id).toSorted());
  const { body } = await api.get(`/v1/channels/${made.id}/deliveries`);
  expect(body.items.at(-1)).toMatchObject({ ok: false, detail: 'Answered 503.' });
  await off();
});

test('an hourly Slack channel and a mail tell several findings in one message', async () => {
  const slack = await channel({ kind: 'slack', pace: 'hourly' });
  const mail = await channel({ kind: 'email', to: ['soc@example.com'], url: undefined, pace: 'daily', orgs: ['acme'] });
  await api.storeFindings(
    ['a', 'b'].map((lane) => finding({ rule: 'R01', lane: `told-${lane}`, hint: '<!channel>', org: 'acme' })),
  );
  await api.services.notifier.round();
  await api.storeFindings([finding({ rule: 'R01', lane: 'told-c', org: 'other' })]);
  await api.services.notifier.round();
  expect(posted.map(({ body }) => JSON.parse(body).text.split('\n').length)).toEqual([3]);
  expect(posted[0]!.body).not.toContain('<!channel>');
  nowMs += 3_600_000;
  await api.services.notifier.round();
  expect(posted).toHaveLength(2);
  expect(mails).toHaveLength(1);
  expect(mails[0]).toMatch(/^Subject: Lanewatch: 2 findings\r$/m);
  await Promise.all([slack.off(), mail.off()]);
});

test('a channel that is moved is told at its new address, signed by the secret it had', async () => {
  const { channel: made, signing_secret: secret, off } = await channel({ url: 'http://127.0.0.1:9/closed' });
  const path = `/v1/channels/${made.id}`;
  expect((await api.patch(path, { to: ['soc@example.com'] })).body.errors[0].path).toBe('to');
  const edited = await api.patch(path, { url: url(), name: 'night shift', version: 1 });
  expect(edited.body).toMatchObject({ name: 'night shift', target: new URL(url()).host, version: 2 });
  expect((await api.post(`${path}/test`)).body).toMatchObject({ ok: true });
  const { headers, body } = posted[0]!;
  const [, seconds, signature] = /^t=(\d+),v1=(.+)$/.exec(String(headers['lanewatch-signature']))!;
  expect(signature).toBe(createHmac('sha256', secret).update(`${seconds}.${body}`).digest('hex'));
  await off();
});

test('what a rule in monitor mode finds is told to nobody, nor later when the rule is set to notify', async () => {
  const { off } = await channel({});
  const [kept, told] = [finding({ rule: 'R08', lane: 'kept' }), finding({ rule: 'R09', lane: 'told' })];
  await api.patch('/v1/rules/R08', { mode: 'monitor', version: 0 });
  await api.storeFindings([kept, told]);
  await api.services.notifier.round();
  await api.patch('/v1/rules/R08', { mode: 'notify', version: 1 });
  await api.storeFindings([{ ...kept, occurrences: 2 }]);
  await api.services.notifier.round();
  expect(posted.flatMap(idsIn)).toEqual([told.id]);
  await off();
});

test('of findings that agree in the fields of a rule’s suppression key one is told within the time', async () => {
  const { channel: made, off } = await channel({});
  await api.patch('/v1/rules/R25', { suppress_by: ['endpoint'], suppress_ms: 30 * 60_000, version: 0 });
  const at = (lane: string, endpoint: string) => finding({ rule: 'R25', lane, facts: { endpoint } });
  const stored = async (...findings: ReturnType<typeof finding>[]) => {
    await api.storeFindings(findings);
    // A changed channel is looked at anew, whatever is remembered of the findings.
    await api.patch(`/v1/channels/${made.id}`, { name: `with ${findings[0]!.lane}` });
    await api.services.notifier.round();
    return posted.splice(0).flatMap(idsIn);
  };
  const [one, same, other] = [at('one', '192.0.2.1'), at('same', '192.0.2.1'), at('other', '192.0.2.2')];
  expect(await stored(one, other)).toEqual(expect.arrayContaining([one.id, other.id]));
  // Who was told of it was told, whatever became of it.
  expect((await api.post(`/v1/findings/${one.id}/resolve`)).status).toBe(200);
  nowMs += 29 * 60_000;
  expect(await stored(same)).toEqual([]);
  nowMs += 60_000;
  expect(await stored(at('after', '192.0.2.1'), at('with it', '192.0.2.1'))).toHaveLength(1);
  await off();
});

test('private addresses are refused unless allowed, by name as by number, and the test button says so', async () => {
  const { channel: made, off } = await channel({});
  expect((await api.post(`/v1/channels/${made.id}/test`)).body).toMatchObject({ ok: true, detail: 'Answered 200.' });
  const { delivery } = api.services;
  delivery.allowPrivate = false;
  expect((await api.post(`/v1/channels/${made.id}/test`)).body.detail).toContain('private');
  const { channel: named, off: offNamed } = await channel({ url: url().replace('127.0.0.1', 'localhost') });
  expect((await api.post(`/v1/channels/${named.id}/test`)).body.detail).toContain('private');
  expect(posted).toHaveLength(1);
  delivery.allowPrivate = true;
  await Promise.all([off(), offNamed()]);
});

test('quiet hours without an end are refused, and the trail tells what a change replaced', async () => {
  const half = await api.post('/v1/channels', { name: 'half', kind: 'webhook', url: url(), quiet_from: '22:00' });
  expect([half.status, half.body.errors[0].path]).toEqual([400, 'quiet_to']);
  const { channel: made, off } = await channel({ quiet_from: '22:00', quiet_to: '06:00' });
  const path = `/v1/channels/${made.id}`;
  expect((await api.patch(path, { quiet_to: null })).status).toBe(400);
  expect((await api.patch(path, { quiet_to: '07:00' })).status).toBe(200);
  const { items } = (await api.get('/v1/audit', { subject: made.id, action: 'channel.changed' })).body;
  expect(items.map(({ changes }: { changes: unknown }) => changes)).toEqual([
    [{ field: 'quiet_to', before: '06:00', after: '07:00' }],
  ]);
  await off();
});
