import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { sql } from 'kysely';
import { afterEach, beforeEach, describe, expect, inject, onTestFinished, test } from 'vitest';
import { openDatabase } from '../registry/database.ts';
import type { Database } from '../registry/database.ts';
import { migrateRegistry } from '../registry/migrate.ts';
import { change } from '../registry/registry.ts';
import { registryTargets } from '../testing/harness.ts';
import type { RegistryTarget } from '../testing/harness.ts';
import { copyOfRegistry } from '../testing/registry-template.ts';
import { appendAudit } from './append.ts';
import { readAudit } from './read.ts';
import { takeOverEvents } from './take-over.ts';
import { verifyAudit } from './verify.ts';

const AT = new Date('2026-11-28T04:00:00.123Z');
const NOW_MS = AT.getTime();

describe.each(registryTargets(inject('postgresUrl')))('the audit trail on %s', (_name, openRegistry) => {
  let target: RegistryTarget;
  let database: Database;
  beforeEach(async () => {
    target = await openRegistry();
    database = await openDatabase(target.url);
    await migrateRegistry(database.db);
  });
  afterEach(async () => {
    await database.close();
    await target.drop();
  });

  const append = (actor: string): Promise<unknown> =>
    change(database.db, (transaction) =>
      appendAudit(transaction, { at: AT, actor, action: 'edited', subject: { kind: 'credential', id: 'c1' } }),
    );

  test('what is changed, deleted, inserted, moved or cut off with SQL is named; the database refuses all of it first', async () => {
    for (const actor of ['ada', 'bob', 'eve', 'zoe']) await append(actor);
    expect(await verifyAudit(database.db, NOW_MS)).toMatchObject({ holds: true, rows: 4, broken: null });
    await expect(sql`DELETE FROM audit_trail WHERE seq = 2`.execute(database.db)).rejects.toThrow('only ever added');
    await sql`ALTER TABLE audit_trail DISABLE TRIGGER USER`.execute(database.db);
    const tampering = {
      '2: row 2 was changed': [`UPDATE audit_trail SET entry = replace(entry, 'bob', 'eve') WHERE seq = 2`],
      '3: row 3 is missing': [`DELETE FROM audit_trail WHERE seq = 3`],
      "3: row 3 stands in another's place": [
        `UPDATE audit_trail SET seq = seq + 100 WHERE seq > 2`,
        `UPDATE audit_trail SET seq = seq - 99 WHERE seq > 2`,
        `INSERT INTO audit_trail (seq, entry, hash) SELECT 3, entry, hash FROM audit_trail WHERE seq = 1`,
      ],
      "2: row 2 stands in another's place": [
        `UPDATE audit_trail SET seq = 100 WHERE seq = 2`,
        `UPDATE audit_trail SET seq = 2 WHERE seq = 3`,
        `UPDATE audit_trail SET seq = 3 WHERE seq = 100`,
      ],
      '4: row 4 is missing: the trail ends at 3': [`DELETE FROM audit_trail WHERE seq = 4`],
    };
    for (const [named, statements] of Object.entries(tampering)) {
      const kept = await sql<{
        seq: number;
        entry: string;
        hash: string;
      }>`SELECT seq, entry, hash FROM audit_trail`.execute(database.db);
      for (const statement of statements) await sql.raw(statement).execute(database.db);
      const { holds, broken } = await verifyAudit(database.db, NOW_MS);
      expect([holds, `${broken?.seq}: ${broken?.reason}`]).toEqual([false, expect.stringContaining(named)]);
      await database.db.deleteFrom('audit_trail').execute();
      await database.db
        .insertInto('audit_trail')
        .values(kept.rows.map((row) => ({ ...row, seq: Number(row.seq) })))
        .execute();
    }
    expect((await verifyAudit(database.db, NOW_MS)).holds).toBe(true);
    // Whoever cuts the stored head as well is found by a head that was kept outside.
    const { head } = await verifyAudit(database.db, NOW_MS);
    await sql`DELETE FROM audit_trail WHERE seq = 4`.execute(database.db);
    await sql`UPDATE audit_head SET seq = 3, hash = (SELECT hash FROM audit_trail WHERE seq = 3)`.execute(database.db);
    expect((await verifyAudit(database.db, NOW_MS)).holds).toBe(true);
    expect((await verifyAudit(database.db, NOW_MS, [head])).broken?.seq).toBe(4);
  });

  test('acts at the same time make one chain, an act that fails leaves nothing in it, and each filter finds its rows', async () => {
    await Promise.all(Array.from({ length: 12 }, (_, index) => append(`person ${index}`)));
    await expect(
      change(database.db, async (transaction) => {
        await appendAudit(transaction, { at: AT, actor: 'ada', action: 'lost', subject: { kind: 'job', id: 'x' } });
        throw new Error('the act failed');
      }),
    ).rejects.toThrow('the act failed');
    expect(await verifyAudit(database.db, NOW_MS)).toMatchObject({ holds: true, rows: 12 });
    const first = await readAudit(database.db, { subject: 'c1', action: 'edit' }, { limit: 7 });
    const rest = await readAudit(database.db, {}, { limit: 7, cursor: first.next_cursor! });
    expect([...first.items, ...rest.items].map(({ seq }) => seq)).toEqual([12, 11, 10, 9, 8, 7, 6, 5, 4, 3, 2, 1]);
    const of = async (filter: Parameters<typeof readAudit>[1]): Promise<number> =>
      (await readAudit(database.db, filter, { limit: 50 })).items.length;
    expect([
      ...[await of({ actor: 'person 3' }), await of({ subject_kind: 'job' }), await of({ credential_id: 'c1' })],
      ...[await of({ from: '2026-11-28T04:00:00.124Z' }), await of({ to: '2026-11-28T05:00:00+01:00' })],
    ]).toEqual([1, 0, 12, 0, 0]);
  });

  test('what was noted before there was a chain is taken into it once, in its order', async () => {
    await append('zoe');
    for (const [action, detail] of [
      ['project made', 'apollo'],
      ['person.invited', 'ada@example.com as responder'],
    ] as const) {
      const event = { at: AT, actor: 'ada', action, credential_id: '', detail };
      await database.db.insertInto('registry_events').values(event).execute();
    }
    await takeOverEvents(database.db);
    await takeOverEvents(database.db);
    const { items } = await readAudit(database.db, {}, { limit: 50 });
    expect(items.map(({ subject }) => subject)).toEqual([
      ...[
        { kind: 'person', id: 'ada@example.com' },
        { kind: 'project', id: 'apollo' },
      ],
      { kind: 'credential', id: 'c1' },
    ]);
    expect((await verifyAudit(database.db, NOW_MS)).holds).toBe(true);
  });
});

test('verify-audit ends with 0 for a trail that holds, 1 for one that does not and the row, 2 for one that it cannot read', async () => {
  const { url, drop } = await copyOfRegistry(inject('registryTemplate'));
  onTestFinished(drop);
  /** The embedded database belongs to one process at a time: it is closed before the verifier opens it. */
  const withDatabase = async (act: (db: Database['db']) => Promise<unknown>): Promise<void> => {
    const database = await openDatabase(url);
    await act(database.db);
    await database.close();
  };
  const run = (databaseUrl: string): [number | null, string] => {
    const env = { ...process.env, DATABASE_URL: databaseUrl };
    const program = join(import.meta.dirname, 'verify-audit.ts');
    const { status, stdout, stderr } = spawnSync(process.execPath, [program], { env, encoding: 'utf8' });
    return [status, stdout + stderr];
  };
  const entry = { at: AT, actor: 'ada', action: 'edited', subject: { kind: 'credential', id: 'c1' } } as const;
  await withDatabase(async (db) => {
    await migrateRegistry(db);
    await change(db, (transaction) => appendAudit(transaction, entry));
  });
  expect(run(url)).toEqual([0, expect.stringContaining('The audit trail holds: 1 rows')]);
  await withDatabase(async (db) => {
    await sql`ALTER TABLE audit_trail DISABLE TRIGGER USER`.execute(db);
    await sql`UPDATE audit_trail SET entry = replace(entry, 'ada', 'eve')`.execute(db);
  });
  expect(run(url)).toEqual([1, expect.stringContaining('BROKEN at row 1: row 1 was changed')]);
  expect(run('postgres://nobody@127.0.0.1:1/none')).toEqual([2, expect.stringContaining("can't be read")]);
});
