import { createHash } from 'node:crypto';
import { BusUnavailableError, credentialRecordSchema, laneOf, openBus, topicsOf } from '@lanewatch/ingest/contract';
import type { Bus, CredentialRecord } from '@lanewatch/ingest/contract';
import { findingIdOf, RISK_OF } from '@lanewatch/detector/contract';
import type { Finding } from '@lanewatch/detector/contract';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, inject, test } from 'vitest';
// What readers of the topic make of it is theirs to say.
import { classify } from '../../detector/src/classify/classify.ts';
import { createRegistryView } from '../../detector/src/classify/registry-view.ts';
import { createCredentialView } from '../../ingest/src/auth/credentials.ts';
import { secretChecksum } from './registry/managed-secret.ts';
import { startPublisher } from './registry/publisher.ts';
import { reconcileTopic } from './registry/reconcile.ts';
import { registryTargets, startEngine, startHarness, until } from './testing/harness.ts';
import type { Engine, Harness } from './testing/harness.ts';

const FINGERPRINT = 'd'.repeat(64);
const HINT = 'sk-ant-api03-R2D...igAA';
const TOPIC = topicsOf('', 1).credentials;

let engine: Engine;
beforeAll(async () => {
  engine = await startEngine();
});
afterAll(() => engine.stop());

/** Everything on the credentials topic so far, oldest first. */
async function topicRecords(bus: Bus): Promise<{ key: string | null; record: CredentialRecord }[]> {
  const records: { key: string | null; record: CredentialRecord }[] = [];
  const view = await bus.followLatest(TOPIC.name, ({ key, value }) => {
    records.push({ key, record: credentialRecordSchema.parse(JSON.parse(value.toString('utf8'))) });
  });
  await view.caughtUp();
  await view.close();
  return records;
}

function finding(parts: Partial<Finding> & Pick<Finding, 'rule' | 'lane'>): Finding {
  const now = new Date().toISOString();
  return {
    id: findingIdOf(parts.rule, parts.lane, []),
    fingerprint: '',
    hint: HINT,
    org: '',
    credential_id: '',
    severity: 'high',
    risk: RISK_OF.high,
    first_seen: now,
    last_seen: now,
    last_received_at: now,
    occurrences: 1,
    facts: { spend_usd: '0.61', users: ['ada'] },
    parameters: { spend_usd: 5 },
    ledger_filter: { lane: parts.lane, finding: findingIdOf(parts.rule, parts.lane, []) },
    ...parts,
  };
}

describe.each(registryTargets(inject('postgresUrl')))('registry on %s', (_name, openRegistry) => {
  let api: Harness;
  beforeEach(async () => {
    api = await startHarness({ engine, registry: await openRegistry() });
  });
  afterEach(() => api.close());

  test('registering a key puts its record on the bus before it answers and resolves what the key had raised', async () => {
    await api.storeRows([{ fingerprint: FINGERPRINT, hint: HINT, session: 's' }]);
    const raised = [
      finding({ rule: 'R01', lane: FINGERPRINT, fingerprint: FINGERPRINT }),
      finding({ rule: 'R02', lane: FINGERPRINT, fingerprint: FINGERPRINT, severity: 'medium', risk: RISK_OF.medium }),
      finding({ rule: 'R05', lane: FINGERPRINT, fingerprint: FINGERPRINT, severity: 'medium', risk: RISK_OF.medium }),
    ];
    await api.storeFindings(raised);
    expect((await api.get('/v1/findings', { status: 'unresolved' })).body.items).toHaveLength(3);

    const created = await api.post('/v1/credentials', {
      name: 'ci',
      fingerprint: `SHA256:${FINGERPRINT.toUpperCase()}`,
    });
    expect(created.status).toBe(201);
    expect(created.body).toMatchObject({
      secret: null,
      findings_resolved: 2,
      published: true,
      credential: { fingerprint: FINGERPRINT, status: 'active', created_by: 'operator', version: 1 },
    });
    expect(created.body.credential).toMatchObject({ last_used_at: expect.any(String), usage: 'available' });
    const records = await topicRecords(api.bus);
    expect(records).toEqual([
      { key: FINGERPRINT, record: expect.objectContaining({ name: 'ci', status: 'active', version: 1 }) as never },
    ]);

    const open = (await api.get('/v1/findings', { status: 'unresolved' })).body.items;
    expect(open.map(({ rule }: { rule: string }) => rule)).toEqual(['R05']);
    const resolved = (await api.get(`/v1/findings/${raised[0]!.id}`)).body;
    expect(resolved).toMatchObject({
      status: 'resolved',
      title: 'Unknown key',
      resolution: { by: 'operator', reason: 'registered as ci' },
      facts: { spend_usd: '0.61', users: ['ada'] },
      ledger_filter: { lane: FINGERPRINT },
    });
    const lane = (await api.get(`/v1/lanes/${FINGERPRINT}`)).body;
    expect(lane).toMatchObject({ standing: 'known', match: 'proven', open_findings: 1, credential: { name: 'ci' } });
    // What was written stays as it was.
    expect((await api.get('/v1/ledger', { lane: FINGERPRINT })).body.items[0].standing).toBe('unknown');
  });

  test('a resolved finding that occurs again is re-opened', async () => {
    await api.storeFindings([finding({ rule: 'R01', lane: FINGERPRINT })]);
    await api.post('/v1/credentials', { name: 'ci', fingerprint: FINGERPRINT });
    expect((await api.get('/v1/findings')).body.items[0].status).toBe('resolved');
    const later = new Date(Date.now() + 60_000).toISOString();
    await api.storeFindings([finding({ rule: 'R01', lane: FINGERPRINT, occurrences: 2, last_received_at: later })]);
    const [again] = (await api.get('/v1/findings', { status: 'unresolved' })).body.items;
    expect(again).toMatchObject({ status: 'reopened', resolution: null, occurrences: 2 });
  });

  test('a page of unresolved findings offers a next one only when that shows something', async () => {
    const others = ['e', 'f'].map((digit) => digit.repeat(64));
    await api.storeFindings([
      finding({ rule: 'R01', lane: FINGERPRINT, fingerprint: FINGERPRINT, severity: 'medium', risk: RISK_OF.medium }),
      ...others.map((lane) => finding({ rule: 'R01', lane, fingerprint: lane })),
    ]);
    const pageOf = async (query: Record<string, string>): Promise<[string[], string | null]> => {
      const { items, next_cursor: cursor } = (await api.get('/v1/findings', { status: 'unresolved', ...query })).body;
      return [items.map(({ lane }: { lane: string }) => lane), cursor];
    };
    const [first, cursor] = await pageOf({ limit: '2' });
    expect(first.toSorted()).toEqual(others);
    expect(await pageOf({ limit: '2', cursor: cursor! })).toEqual([[FINGERPRINT], null]);
    await api.post('/v1/credentials', { name: 'ci', fingerprint: FINGERPRINT });
    expect(await pageOf({ limit: '2' })).toEqual([first, null]);
  });

  test('what occurred while the bus was away re-opens nothing once the registration has reached it', async () => {
    await api.services.publisher.close();
    const lane = FINGERPRINT;
    const { body } = await api.post('/v1/credentials', { name: 'ci', fingerprint: FINGERPRINT });
    expect(body.published).toBe(false);
    const minutes = (count: number): string => new Date(Date.now() + count * 60_000).toISOString();
    await api.storeFindings([finding({ rule: 'R01', lane, last_received_at: minutes(30) })]);
    const status = async (): Promise<string> => (await api.get('/v1/findings')).body.items[0].status;
    expect(await status()).toBe('reopened');

    const publishAt = async (now: number): Promise<void> => {
      const publisher = startPublisher({
        ...{ database: api.database, bus: api.bus, topic: TOPIC, now: () => now },
        onFault: (error) => {
          throw error;
        },
      });
      await until(
        () => publisher.unsent(),
        (rows) => rows === 0,
      );
      await publisher.close();
    };
    await publishAt(Date.parse(minutes(31)));
    expect(await status()).toBe('resolved');

    // Later records of the key move nothing: what occurs after the decision is a regression.
    await api.storeFindings([finding({ rule: 'R01', lane, occurrences: 2, last_received_at: minutes(40) })]);
    await api.post(`/v1/credentials/${body.credential.id}/revoke`);
    await publishAt(Date.parse(minutes(50)));
    expect(await status()).toBe('reopened');
  });

  test('a finding that reaches the store after the registration is resolved as well', async () => {
    await api.post('/v1/credentials', { name: 'ci', fingerprint: FINGERPRINT });
    const before = new Date(Date.now() - 1_000).toISOString();
    await api.storeFindings([finding({ rule: 'R01', lane: FINGERPRINT, last_received_at: before })]);
    expect((await api.get('/v1/findings')).body.items[0].status).toBe('resolved');
  });

  test('registering by hint and org resolves the hint’s lane and lanes of fingerprints seen with both', async () => {
    const hintLane = laneOf('', HINT, 'acme');
    await api.storeFindings([
      finding({ rule: 'R01', lane: hintLane, org: 'acme' }),
      finding({ rule: 'R01', lane: FINGERPRINT, fingerprint: FINGERPRINT, org: 'acme' }),
      finding({ rule: 'R01', lane: 'e'.repeat(64), fingerprint: 'e'.repeat(64), org: 'other' }),
    ]);
    const created = await api.post('/v1/credentials', { name: 'ci', hint: HINT, org: 'acme' });
    expect(created.body.findings_resolved).toBe(2);
    const open = (await api.get('/v1/findings', { status: 'unresolved' })).body.items;
    expect(open.map(({ lane }: { lane: string }) => lane)).toEqual(['e'.repeat(64)]);
  });

  test('a second key with the same hint and org leaves the ambiguous lane’s findings open', async () => {
    const lane = laneOf('', HINT, 'acme');
    await api.post('/v1/credentials', { name: 'one', fingerprint: FINGERPRINT, hint: HINT, org: 'acme' });
    await api.storeFindings([
      finding({
        rule: 'R02',
        lane,
        org: 'acme',
        last_received_at: new Date().toISOString(),
      }),
    ]);
    const created = await api.post('/v1/credentials', {
      name: 'two',
      fingerprint: 'e'.repeat(64),
      hint: HINT,
      org: 'acme',
    });
    expect(created.status).toBe(201);
    expect(created.body.findings_resolved).toBe(0);
    expect((await api.get('/v1/findings')).body.items[0].status).toBe('open');
  });

  test('the answer to a registration says how the key’s events stand', async () => {
    const register = async (parts: object): Promise<string> =>
      (await api.post('/v1/credentials', { name: 'key', ...parts })).body.standing;
    expect(await register({ hint: HINT, org: 'acme' })).toBe('known');
    expect(await register({ hint: HINT, org: 'other' })).toBe('known');
    expect(await register({ fingerprint: FINGERPRINT, hint: HINT, org: 'acme' })).toBe('known');
    expect(await register({ hint: HINT.replaceAll('.', '*'), org: 'third' })).toBe('known');
    expect(await register({ fingerprint: 'e'.repeat(64), hint: 'sk-ant-...C001' })).toBe('known');
    expect(await register({ hint: 'sk-ant-...C001', org: 'acme' })).toBe('ambiguous');
  });

  test('registering is offered where it can make the lane known: not for a hint without an org', async () => {
    const lanes = { 'with org': laneOf('', HINT, 'acme'), without: laneOf('', HINT, '') };
    await api.storeRows([
      { hint: HINT, org: 'acme', lane: lanes['with org'] },
      { hint: HINT, lane: lanes.without },
    ]);
    const actionsOn = async (lane: string): Promise<string[]> =>
      (await api.get(`/v1/lanes/${lane}`)).body.response_path.credential_actions;
    expect(await actionsOn(lanes['with org'])).toEqual(['register']);
    expect(await actionsOn(lanes.without)).toEqual([]);
    await api.post('/v1/credentials', { name: 'by hint', hint: HINT, org: 'acme' });
    expect((await api.get(`/v1/lanes/${lanes.without}`)).body.standing).toBe('ambiguous');
  });

  test('revoking is for ever: the record on the bus says so, a second one and a new registration are refused', async () => {
    const { body } = await api.post('/v1/credentials', { name: 'ci', fingerprint: FINGERPRINT });
    const { id } = body.credential;
    const revoked = await api.post(`/v1/credentials/${id}/revoke`, { reason: 'left the company' });
    expect(revoked.status).toBe(200);
    expect(revoked.body).toMatchObject({
      status: 'revoked',
      published: true,
      revoked_by: 'operator',
      revoke_reason: 'left the company',
      version: 2,
    });
    const last = (await topicRecords(api.bus)).at(-1);
    expect(last).toMatchObject({ key: FINGERPRINT, record: { status: 'revoked', version: 2 } });
    expect((await api.post(`/v1/credentials/${id}/revoke`)).status).toBe(409);
    const again = await api.post('/v1/credentials', { name: 'ci again', fingerprint: FINGERPRINT });
    expect(again.status).toBe(409);
    expect(again.body.detail).toContain(id);
    expect(again.body.detail).toContain('revoked');
    await api.storeRows([{ fingerprint: FINGERPRINT, standing: 'revoked' }]);
    const lane = (await api.get(`/v1/lanes/${FINGERPRINT}`)).body;
    expect(lane.standing).toBe('revoked');
    expect(lane.posture[0].reason).toBe('revoked_in_use');
    expect(lane.response_path.credential_actions).toEqual([]);
    expect((await api.post('/v1/credentials/cred_none/revoke')).status).toBe(404);
  });

  test('the same key twice is refused with the name of the one that is there', async () => {
    const first = await api.post('/v1/credentials', { name: 'first', fingerprint: FINGERPRINT });
    const second = await api.post('/v1/credentials', { name: 'second', fingerprint: FINGERPRINT });
    expect(second.status).toBe(409);
    expect(second.body.detail).toContain('first');
    expect(second.body.errors).toEqual([
      { path: 'fingerprint', message: `is registered as ${first.body.credential.id}` },
    ]);
    await api.post('/v1/credentials', { name: 'by hint', hint: HINT, org: 'acme' });
    expect((await api.post('/v1/credentials', { name: 'again', hint: HINT, org: 'acme' })).status).toBe(409);
    expect((await api.post('/v1/credentials', { name: 'elsewhere', hint: HINT, org: 'other' })).status).toBe(201);
  });

  test('of many registrations of one key at once exactly one succeeds', async () => {
    const answers = await Promise.all(
      Array.from({ length: 8 }, (_, index) =>
        api.post('/v1/credentials', { name: `n${index}`, fingerprint: FINGERPRINT }),
      ),
    );
    expect(answers.map(({ status }) => status).sort()).toEqual([201, ...Array<number>(7).fill(409)]);
    expect(await topicRecords(api.bus)).toHaveLength(1);
  });

  test('a managed key’s secret has its form and checksum, comes once, and is nowhere afterwards', async () => {
    const { status, body } = await api.post('/v1/credentials', {
      kind: 'managed',
      name: 'collector',
      environment: 'staging',
    });
    expect(status).toBe(201);
    const parts = /^lw_staging_([0-9A-Za-z]{32})_([0-9A-Za-z]{6})$/.exec(body.secret);
    expect(parts).not.toBeNull();
    expect(secretChecksum(parts![1]!)).toBe(parts![2]);
    const fingerprint = createHash('sha256').update(body.secret).digest('hex');
    expect(body.credential).toMatchObject({
      fingerprint,
      provider: 'lanewatch',
      scopes: [{ action: 'write', resource: 'usage-events' }],
    });
    const dump = JSON.stringify([
      await api.database.db.selectFrom('credentials').selectAll().execute(),
      await api.database.db.selectFrom('outbox').selectAll().execute(),
      await api.database.db.selectFrom('registry_events').selectAll().execute(),
      await topicRecords(api.bus),
      api.logged,
      (await api.get(`/v1/credentials/${body.credential.id}`)).body,
    ]);
    expect(dump).toContain(fingerprint);
    expect(dump).not.toContain(parts![1]);
  });

  test('who may ship events is told by the rule that ingest applies', async () => {
    const view = createCredentialView();
    const follow = await api.bus.followLatest(TOPIC.name, (record) => void view.apply(record));
    const collectors = new Set<string>();
    for (const [action, resource] of [
      ['write', 'usage-events'],
      ['admin', '*'],
      ['*', '/usage-*'],
      ['read', '*'],
      ['write', 'ledger'],
    ]) {
      const scopes = [{ action, resource }];
      const name = `${action} on ${resource}`;
      const created = await api.post('/v1/credentials', { kind: 'managed', name, environment: 'staging', scopes });
      const { credential } = created.body;
      await follow.caughtUp();
      expect(view.find(credential.fingerprint)?.mayWriteEvents, name).toBe(credential.may_ship_events);
      if (credential.may_ship_events === true) collectors.add(credential.id as string);
    }
    await follow.close();
    expect(collectors.size).toBe(3);
    const shown = (await api.get('/v1/overview')).body.collectors as { collector: string }[];
    expect(new Set(shown.map(({ collector }) => collector))).toEqual(collectors);
  });

  test('the list filters, finds texts with wildcards as they are, counts everything and pages', async () => {
    for (const name of ['alpha', '100%_real', 'gamma']) {
      const fingerprint = createHash('sha256').update(name).digest('hex');
      expect((await api.post('/v1/credentials', { name, fingerprint, owner: 'ada' })).status).toBe(201);
    }
    const namesOf = async (query: Record<string, string>): Promise<string[]> =>
      (await api.get('/v1/credentials', query)).body.items.map(({ name }: { name: string }) => name);
    expect(await namesOf({})).toEqual(['gamma', '100%_real', 'alpha']);
    expect(await namesOf({ q: '%_R' })).toEqual(['100%_real']);
    expect(await namesOf({ q: `' OR 1=1 --` })).toEqual([]);
    expect(await namesOf({ kind: 'managed' })).toEqual([]);
    const first = (await api.get('/v1/credentials', { limit: '2' })).body;
    expect(first.totals).toEqual({ total: 3, active: 3, expired: 0, revoked: 0 });
    expect(await namesOf({ limit: '2', cursor: first.next_cursor })).toEqual(['alpha']);
  });

  test('committed changes reach the bus after a crash between commit and publish', async () => {
    // A publisher whose bus dies at once stands for the process that crashed right after its commit.
    await api.services.publisher.close();
    const created = await api.post('/v1/credentials', { name: 'ci', fingerprint: FINGERPRINT });
    expect(created.status).toBe(201);
    expect(created.body.published).toBe(false);
    expect(await topicRecords(api.bus)).toEqual([]);

    const next = startPublisher({
      ...{ database: api.database, bus: api.bus, topic: TOPIC, now: Date.now },
      onFault: (error) => {
        throw error;
      },
    });
    await until(
      () => next.unsent(),
      (rows) => rows === 0,
    );
    expect((await topicRecords(api.bus)).map(({ record }) => record.name)).toEqual(['ci']);
    await next.close();
  });

  test('while the bus refuses, changes are kept and then arrive in order', async () => {
    let down = true;
    const versions: number[] = [];
    const flaky: Bus = {
      ...api.bus,
      async publish(topic, records) {
        if (down) throw new BusUnavailableError('down');
        for (const { value } of records)
          versions.push(credentialRecordSchema.parse(JSON.parse(Buffer.from(value).toString())).version);
        await api.bus.publish(topic, records);
      },
    };
    await api.services.publisher.close();
    const faults: unknown[] = [];
    const publisher = startPublisher({
      ...{ database: api.database, bus: flaky, topic: TOPIC, now: Date.now },
      onFault: (error) => faults.push(error),
    });
    const { body } = await api.post('/v1/credentials', { name: 'ci', fingerprint: FINGERPRINT });
    await api.post(`/v1/credentials/${body.credential.id}/revoke`, {});
    publisher.wake();
    await until(
      () => Promise.resolve(faults.length),
      (count) => count > 0,
    );
    expect(await publisher.unsent()).toBe(2);
    down = false;
    await until(
      () => publisher.unsent(),
      (rows) => rows === 0,
    );
    expect(versions).toEqual([1, 2]);
    expect((await topicRecords(api.bus)).at(-1)?.record).toMatchObject({ status: 'revoked', version: 2 });
    await publisher.close();
  });

  test('a row that is no record stays unsent, is told, and holds up nobody behind it', async () => {
    await api.services.publisher.close();
    const { body } = await api.post('/v1/credentials', { name: 'spoilt', fingerprint: FINGERPRINT });
    await api.database.db
      .updateTable('outbox')
      .set({ record: JSON.stringify({ version: 'first' }) })
      .where('credential_id', '=', body.credential.id)
      .execute();
    await api.post('/v1/credentials', { name: 'behind it', fingerprint: 'e'.repeat(64) });
    const faults: unknown[] = [];
    const publisher = startPublisher({
      ...{ database: api.database, bus: api.bus, topic: TOPIC, now: Date.now },
      onFault: (error) => faults.push(error),
    });
    await until(
      () => publisher.unsent(),
      (rows) => rows === 1,
    );
    expect((await topicRecords(api.bus)).map(({ record }) => record.name)).toEqual(['behind it']);
    expect(faults.map(String)).toEqual([expect.stringMatching(/Outbox row \d+ is no credential record/)]);
    await publisher.close();
  });

  test('a key that only the topic has is withdrawn, and taken back by the registry that has it', async () => {
    const { body } = await api.post('/v1/credentials', {
      kind: 'managed',
      name: 'issued later',
      environment: 'staging',
    });
    const { id, fingerprint } = body.credential as { id: string; fingerprint: string };
    const revoked = await api.post('/v1/credentials', { name: 'revoked', fingerprint: FINGERPRINT });
    await api.post(`/v1/credentials/${revoked.body.credential.id}/revoke`);
    const collector = createCredentialView();
    const detector = createRegistryView();
    const view = await api.bus.followLatest(TOPIC.name, (record) => {
      expect(collector.apply(record)).toEqual({ ok: true });
      expect(detector.apply(record.value)).toEqual({ ok: true });
    });
    const standing = async () => {
      await view.caughtUp();
      const seen = classify({ fingerprint, hint: '', org: '' }, Date.now(), detector).standing;
      return [seen, collector.find(fingerprint)?.status];
    };
    expect(await standing()).toEqual(['known', 'active']);

    const other = await startHarness({ engine, bus: { ...api.bus, close: () => Promise.resolve() } });
    expect(await standing()).toEqual(['revoked', 'revoked']);
    expect(other.logged.join()).toContain(id);
    expect(other.logged.join()).not.toContain(revoked.body.credential.id);
    expect(await reconcileTopic(other.database.db, api.bus, TOPIC, Date.now())).toEqual({
      republished: 0,
      withdrawn: [],
    });
    await other.close();

    expect(await reconcileTopic(api.database.db, api.bus, TOPIC, Date.now())).toEqual({
      republished: 1,
      withdrawn: [],
    });
    api.services.publisher.wake();
    await until(
      () => api.services.publisher.unsent(),
      (rows) => rows === 0,
    );
    expect(await standing()).toEqual(['known', 'active']);
    await view.close();
  });

  test('a new, empty bus gets the whole registry again', async () => {
    await api.post('/v1/credentials', { name: 'one', fingerprint: FINGERPRINT });
    await api.post('/v1/credentials', { name: 'two', hint: HINT, org: 'acme' });
    const directory = await mkdtemp(join(tmpdir(), 'lanewatch-new-bus-'));
    const bus = await openBus(`lmdb:${directory}`);
    await bus.ensureTopics([TOPIC]);
    expect(await reconcileTopic(api.database.db, bus, TOPIC, Date.now())).toEqual({ republished: 2, withdrawn: [] });
    const publisher = startPublisher({
      ...{ database: api.database, bus, topic: TOPIC, now: Date.now },
      onFault: (error) => {
        throw error;
      },
    });
    await until(
      () => publisher.unsent(),
      (rows) => rows === 0,
    );
    expect((await topicRecords(bus)).map(({ record }) => record.name)).toEqual(['one', 'two']);
    expect(await reconcileTopic(api.database.db, bus, TOPIC, Date.now())).toEqual({ republished: 0, withdrawn: [] });
    await publisher.close();
    await bus.close();
    await rm(directory, { recursive: true, force: true });
  });
});
