import { setImmediate } from 'node:timers/promises';
import { Kysely, PostgresAdapter, PostgresIntrospector, PostgresQueryCompiler } from 'kysely';
import { expect, test } from 'vitest';
import { endAct, joinable, newAct, together } from './together.ts';

/** A server on which a step of every transaction fails, and how many of its connections are lent. */
function stage(failing: 'begin' | 'commit') {
  const lent = { connections: 0 };
  const lost = new Error('the connection is lost');
  const connection = {
    executeQuery: () => Promise.resolve({ rows: [] }),
    streamQuery: () => expect.fail('nothing is streamed'),
  };
  const driver = {
    init: () => Promise.resolve(),
    acquireConnection: () => Promise.resolve((lent.connections++, connection)),
    releaseConnection: () => Promise.resolve(void lent.connections--),
    beginTransaction: () => (failing === 'begin' ? Promise.reject(lost) : Promise.resolve()),
    commitTransaction: () => Promise.reject(lost),
    rollbackTransaction: () => Promise.reject(lost),
    destroy: () => Promise.resolve(),
  };
  const inner = new Kysely<{ users: { id: string } }>({
    dialect: {
      createAdapter: () => new PostgresAdapter(),
      createDriver: () => driver,
      createIntrospector: (db) => new PostgresIntrospector(db),
      createQueryCompiler: () => new PostgresQueryCompiler(),
    },
  });
  return { db: joinable(inner), lent };
}

const LOST = 'the connection is lost';

test.each(['begin', 'commit'] as const)('a transaction whose %s fails gives its connection back', async (failing) => {
  const { db, lent } = stage(failing);
  const work = db.transaction().execute((own) => own.insertInto('users').values({ id: 'a' }).execute());
  await expect(work).rejects.toThrow(LOST);
  await setImmediate();
  expect(lent.connections).toBe(0);
});

test('an act whose commit fails tells so and gives its connection back', async () => {
  const { db, lent } = stage('commit');
  const act = newAct();
  await together(act, () => db.insertInto('users').values({ id: 'a' }).execute());
  expect(lent.connections).toBe(1);
  await expect(endAct(act, true)).rejects.toThrow(LOST);
  await setImmediate();
  expect(lent.connections).toBe(0);
});

test('an act that could not begin has told so by its statement; only an answer that says it is done is stopped', async () => {
  for (const keeps of [false, true]) {
    const { db, lent } = stage('begin');
    const act = newAct();
    const statement = together(act, () => db.transaction().execute(() => Promise.resolve()));
    await expect(statement).rejects.toThrow(LOST);
    await expect(endAct(act, keeps).then(() => 'ended', String)).resolves.toBe(keeps ? `Error: ${LOST}` : 'ended');
    await setImmediate();
    expect(lent.connections).toBe(0);
  }
});
