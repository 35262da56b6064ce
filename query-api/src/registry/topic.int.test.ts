import { BusUnavailableError, credentialRecordSchema, openBus } from '@lanewatch/ingest/contract';
import type { Bus } from '@lanewatch/ingest/contract';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, inject, test } from 'vitest';
// What readers of the topic make of it is theirs to say.
import { classify } from '../../../detector/src/classify/classify.ts';
import { createRegistryView } from '../../../detector/src/classify/registry-view.ts';
import { createCredentialView } from '../../../ingest/src/auth/credentials.ts';
import { startPublisher } from './publisher.ts';
import { republish } from './overtake.ts';
import { reconcileTopic } from './reconcile.ts';
import { engineOf, registryTargets, startHarness, until } from '../testing/harness.ts';
import type { Harness } from '../testing/harness.ts';
import { FINGERPRINT, HINT, TOPIC, topicRecords } from '../testing/registry.ts';

/** What a comparison says when topic and registry agree. */
/** Compares, and puts what is missing on its way. */
async function reconciled(...[db, bus, topic, nowMs]: Parameters<typeof reconcileTopic>) {
  const { missing, ...rest } = await reconcileTopic(db, bus, topic, nowMs);
  await republish(db, missing, { now: () => nowMs });
  return { republished: missing.length, ...rest };
}

const NOTHING = { republished: 0, overtaken: [], revoked: [], withdrawn: [] };

const engine = engineOf(inject('clickhouseServer'));

describe.each(registryTargets(inject('postgresUrl')))('the credentials topic on %s', (_name, openRegistry) => {
  let api: Harness;
  beforeEach(async () => {
    api = await startHarness({ engine, registry: await openRegistry() });
  });
  afterEach(() => api.close());

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
      expect(collector.apply(record)).toMatchObject({ ok: true });
      expect(detector.apply(record.value)).toEqual({ ok: true });
    });
    const standing = async () => {
      await view.caughtUp();
      const seen = classify({ fingerprint, hint: '', org: '' }, Date.now(), detector).standing;
      return [seen, Date.now() < (collector.find(fingerprint)?.revokedFromMs ?? 0) ? 'active' : 'revoked'];
    };
    expect(await standing()).toEqual(['known', 'active']);

    const other = await startHarness({ engine, bus: { ...api.bus, close: () => Promise.resolve() } });
    expect(await standing()).toEqual(['revoked', 'revoked']);
    expect(other.logged.join()).toContain(id);
    expect(other.logged.join()).not.toContain(revoked.body.credential.id);
    expect(await reconciled(other.database.db, api.bus, TOPIC, Date.now())).toEqual(NOTHING);
    await other.close();

    expect(await reconciled(api.database.db, api.bus, TOPIC, Date.now())).toEqual({
      ...NOTHING,
      republished: 1,
    });
    api.services.publisher.wake();
    await until(
      () => api.services.publisher.unsent(),
      (rows) => rows === 0,
    );
    expect(await standing()).toEqual(['known', 'active']);
    await view.close();
  });

  test('a registry restored from before a revocation takes it from the topic: a revoked key stays revoked', async () => {
    const keys = ['revoked since', 'changed since'].map((name, index) => ({
      name,
      fingerprint: `${index}`.repeat(64),
    }));
    const [gone, kept] = (await Promise.all(keys.map((key) => api.post('/v1/credentials', key)))).map(
      ({ body }) => body.credential as { id: string },
    );
    const before = await api.database.db.selectFrom('credentials').selectAll().execute();
    const at = (await api.post(`/v1/credentials/${gone!.id}/revoke`)).body.revoked_at as string;
    const [changed] = (await topicRecords(api.bus)).filter(({ record }) => record.id === kept!.id);
    const newer = { ...changed!.record, name: 'as it was changed', version: 5 };
    await api.bus.publish(TOPIC.name, [{ key: changed!.key, value: Buffer.from(JSON.stringify(newer)) }]);
    for (const { id, version, revoked_at } of before) {
      await api.database.db.updateTable('credentials').set({ version, revoked_at }).where('id', '=', id).execute();
      await api.database.db
        .updateTable('credential_secrets')
        .set({ version })
        .where('credential_id', '=', id)
        .execute();
    }
    const reconcile = () => reconciled(api.database.db, api.bus, TOPIC, Date.now());
    const { overtaken, ...rest } = await reconcile();
    expect(overtaken.toSorted()).toEqual([gone!.id, kept!.id].toSorted());
    expect(rest).toEqual({ republished: 0, revoked: [gone!.id], withdrawn: [] });
    api.services.publisher.wake();
    await until(
      () => api.services.publisher.unsent(),
      (rows) => rows === 0,
    );
    const shown = async (id: string) => (await api.get(`/v1/credentials/${id}`)).body;
    expect(await shown(gone!.id)).toMatchObject({ status: 'revoked', revoked_at: at, version: 3 });
    expect(await shown(kept!.id)).toMatchObject({ status: 'active', name: 'changed since', version: 6 });
    const newest = new Map((await topicRecords(api.bus)).map(({ record }) => [record.id, record]));
    expect(newest.get(gone!.id)).toMatchObject({ status: 'revoked', revoked_at: at, version: 3 });
    expect(newest.get(kept!.id)).toMatchObject({ status: 'active', name: 'changed since', version: 6 });
    expect(await reconcile()).toEqual(NOTHING);
  });

  test('an older record that came after a newer one on the topic does not bring a key back', async () => {
    const { body } = await api.post('/v1/credentials', { name: 'ci', fingerprint: FINGERPRINT });
    await api.post(`/v1/credentials/${body.credential.id}/revoke`);
    const [first] = await topicRecords(api.bus);
    await api.bus.publish(TOPIC.name, [{ key: first!.key, value: Buffer.from(JSON.stringify(first!.record)) }]);
    await api.database.db.updateTable('credentials').set({ version: 1, revoked_at: null }).execute();
    await api.database.db.updateTable('credential_secrets').set({ version: 1 }).execute();
    const { revoked } = await reconciled(api.database.db, api.bus, TOPIC, Date.now());
    expect(revoked).toEqual([body.credential.id]);
  });

  test('a new, empty bus gets the whole registry again', async () => {
    await api.post('/v1/credentials', { name: 'one', fingerprint: FINGERPRINT });
    await api.post('/v1/credentials', { name: 'two', hint: HINT, org: 'acme' });
    const directory = await mkdtemp(join(tmpdir(), 'lanewatch-new-bus-'));
    const bus = await openBus(`lmdb:${directory}`);
    await bus.ensureTopics([TOPIC]);
    expect(await reconciled(api.database.db, bus, TOPIC, Date.now())).toEqual({ ...NOTHING, republished: 2 });
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
    expect(await reconciled(api.database.db, bus, TOPIC, Date.now())).toEqual(NOTHING);
    await publisher.close();
    await bus.close();
    await rm(directory, { recursive: true, force: true });
  });
});
