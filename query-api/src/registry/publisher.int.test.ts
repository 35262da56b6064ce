import { setImmediate as turn } from 'node:timers/promises';
import { credentialRecordSchema, topicsOf } from '@lanewatch/ingest/contract';
import type { Bus, CredentialRecord } from '@lanewatch/ingest/contract';
import { sql } from 'kysely';
import { afterEach, beforeEach, describe, expect, inject, test } from 'vitest';
import { credentialCreateSchema } from '../../contract/index.ts';
import { createPostgresDatabase, registryTargets, until } from '../testing/harness.ts';
import type { RegistryTarget } from '../testing/harness.ts';
import { openDatabase } from './database.ts';
import type { Database } from './database.ts';
import { draftCredential } from './draft.ts';
import { migrateRegistry } from './migrate.ts';
import { startPublisher } from './publisher.ts';
import type { OutboxPublisher } from './publisher.ts';
import { addCredential } from './add.ts';
import { registryVersion } from './registry.ts';
import type { RegistryChange } from './registry.ts';
import { revokeCredential } from './revoke.ts';

const TOPIC = topicsOf('', 1).credentials;
const DAY_MS = 86_400_000;
const PUBLISH_WAIT_MS = 60_000;

/** A bus that keeps what is published in order, and how many publishes were under way at once. */
function recordingBus() {
  const records: CredentialRecord[] = [];
  let underWay = 0;
  const seen = { atOnceMax: 0 };
  const publish: Bus['publish'] = async (_topic, batch) => {
    seen.atOnceMax = Math.max(seen.atOnceMax, ++underWay);
    // Long enough for another publisher to come in between, if anything let it.
    for (let count = 0; count < 20; count++) await turn();
    records.push(
      ...batch.map(({ value }) => credentialRecordSchema.parse(JSON.parse(Buffer.from(value).toString('utf8')))),
    );
    underWay--;
  };
  // Nothing else of a bus is used here.
  return { bus: { publish } as Bus, records, seen };
}

function register(database: Database, index: number, nowMs = Date.now()): Promise<RegistryChange> {
  const input = credentialCreateSchema.parse({
    name: `key ${index}`,
    fingerprint: index.toString(16).padStart(64, '0'),
  });
  return addCredential(database.db, draftCredential(input, 'test', nowMs), () => ({ decided: [], unsettled: [] }));
}

function start(database: Database, bus: Bus, now: () => number = Date.now): OutboxPublisher {
  const onFault = (error: unknown) => {
    throw error;
  };
  return startPublisher({ database, bus, topic: TOPIC, onFault, now });
}

/** A migrated registry for each test of the enclosing block. */
function usingRegistry(open: () => Promise<RegistryTarget>): { target: RegistryTarget; database: Database } {
  const registry = {} as { target: RegistryTarget; database: Database };
  beforeEach(async () => {
    registry.target = await open();
    registry.database = await openDatabase(registry.target.url);
    await migrateRegistry(registry.database.db);
  });
  afterEach(async () => {
    await registry.database.close();
    await registry.target.drop();
  });
  return registry;
}

describe.each(registryTargets(inject('postgresUrl')))('publishing on %s', (_name, openRegistry) => {
  const registry = usingRegistry(openRegistry);

  test('a backlog refreshes what reads the copy once, and a change that somebody waits for is seen when they are told', async () => {
    const { database } = registry;
    await register(database, 1);
    await sql`INSERT INTO outbox (credential_id, record, created_at)
      SELECT credential_id, record, created_at FROM outbox, generate_series(1, 1200)`.execute(database.db);
    const log: string[] = [];
    const { bus } = recordingBus();
    const publisher = startPublisher({
      ...{ database, bus, topic: TOPIC, now: Date.now, onFault: (error) => log.push(String(error)) },
      mirror: {
        copy: async (records) => void log.push(`copied ${records.length}`),
        refresh: async () => void log.push('refreshed'),
      },
    });
    await until(
      async () => log,
      (lines) => lines.includes('refreshed'),
    );
    expect(log).toEqual(['copied 500', 'copied 500', 'copied 201', 'refreshed']);
    const { outboxId } = await register(database, 2);
    expect(await publisher.published(outboxId, PUBLISH_WAIT_MS)).toBe(true);
    expect(log.slice(4, 6)).toEqual(['copied 1', 'refreshed']);
    await publisher.close();
  });

  test('what was sent a week ago is removed; what is unsent, newer or the newest stays', async () => {
    const { database } = registry;
    const { bus } = recordingBus();
    let nowMs = Date.now();
    const first = start(database, bus, () => nowMs);
    for (const index of [1, 2]) await register(database, index, nowMs);
    first.wake();
    await until(
      () => first.unsent(),
      (rows) => rows === 0,
    );
    const version = await registryVersion(database.db);
    await first.close();

    const ids = async () => (await database.db.selectFrom('outbox').select('id').execute()).map(({ id }) => Number(id));
    nowMs += 8 * DAY_MS;
    const second = start(database, bus, () => nowMs);
    await until(ids, (left) => left.length < 2);
    expect(await ids()).toEqual([version]);
    expect(await registryVersion(database.db)).toBe(version);
    await second.close();

    const third = await register(database, 3, nowMs);
    const fourth = await register(database, 4, nowMs);
    await database.db.updateTable('outbox').set({ record: '{}' }).where('id', '=', String(third.outboxId)).execute();
    nowMs += 8 * DAY_MS;
    const faults: unknown[] = [];
    const last = startPublisher({
      database,
      bus,
      topic: TOPIC,
      onFault: (error) => faults.push(error),
      now: () => nowMs,
    });
    expect(await last.published(fourth.outboxId, PUBLISH_WAIT_MS)).toBe(true);
    await until(ids, (left) => !left.includes(version));
    expect(await ids()).toEqual([third.outboxId, fourth.outboxId]);
    await last.close();
  });
});

const server = inject('postgresUrl');
// PGlite is inside of one process.
describe.skipIf(server === null)('publishing by several processes', () => {
  const registry = usingRegistry(() => createPostgresDatabase(server!));

  test(
    'two processes on one registry publish every change once, in order, and each learns at once what the other has sent',
    async () => {
      const { database, target } = registry;
      const { bus, records, seen } = recordingBus();
      const other = await openDatabase(target.url);
      const processes = [database, other].map((own) => ({ own, publisher: start(own, bus) }));
      const committed = async (on: (typeof processes)[number], change: Promise<RegistryChange>) => {
        const { row, outboxId } = await change;
        expect(await on.publisher.published(outboxId, PUBLISH_WAIT_MS)).toBe(true);
        return row;
      };
      const KEYS = 80;
      await Promise.all(
        Array.from({ length: KEYS }, async (_, index) => {
          const [one, two] = index % 2 === 0 ? processes : processes.toReversed();
          const { id } = await committed(one!, register(one!.own, index));
          const revocation = { id, actor: 'test', reason: '', nowMs: Date.now() };
          await committed(two!, revokeCredential(two!.own.db, revocation));
        }),
      );
      const outbox = await database.db.selectFrom('outbox').select('record').orderBy('id').execute();
      expect(records).toEqual(outbox.map(({ record }) => record));
      expect(records).toHaveLength(2 * KEYS);
      expect(seen.atOnceMax).toBe(1);
      for (const { publisher } of processes) await publisher.close();
      await other.close();
    },
    // Half of the wait for one row: a process that learned only by its deadline would not be done.
    PUBLISH_WAIT_MS / 2,
  );
});
