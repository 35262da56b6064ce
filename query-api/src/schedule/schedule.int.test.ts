import fc from 'fast-check';
import { sql } from 'kysely';
import { pino } from 'pino';
import { afterEach, beforeEach, describe, expect, inject, test } from 'vitest';
import { openDatabase } from '../registry/database.ts';
import type { Database } from '../registry/database.ts';
import { migrateRegistry } from '../registry/migrate.ts';
import { RegistryUnavailableError } from '../registry/unavailable.ts';
import { registryTargets } from '../testing/harness.ts';
import type { RegistryTarget } from '../testing/harness.ts';
import type { Job } from './job.ts';
import { listJobs } from './list.ts';
import { startScheduler } from './scheduler.ts';
import type { Scheduler } from './scheduler.ts';

const START_MS = Date.UTC(2026, 0, 5, 12, 0);
const MINUTE_MS = 60_000;
const STEPS = 4;

describe.each(registryTargets(inject('postgresUrl')))('jobs on %s', (_name, openRegistry) => {
  let target: RegistryTarget;
  let database: Database;
  let nowMs: number;
  /** Thrown before the act of this number, once. */
  let failure: { atStep: number; error: Error } | null;

  beforeEach(async () => {
    target = await openRegistry();
    database = await openDatabase(target.url);
    await migrateRegistry(database.db);
    nowMs = START_MS;
    failure = null;
  });
  afterEach(async () => {
    await database.close();
    await target.drop();
  });

  /** Writes four rows, one an act, each under a name of its own: a second one of a name would be work done twice. */
  const counting = (id = 'test.counting'): Job => ({
    ...{ id, title: 'Count', does: 'Counts.', schedule: '*/10 * * * *' },
    async run(run) {
      for (let step = Number(run.cursor ?? 0); step < STEPS; step += 1) {
        if (failure?.atStep === step) {
          const { error } = failure;
          failure = null;
          throw error;
        }
        await run.act(async (transaction) => {
          const detail = `${run.dueMs} ${step}`;
          const event = { at: new Date(nowMs), actor: run.id, action: id, credential_id: '', detail };
          await transaction.insertInto('registry_events').values(event).execute();
          return String(step + 1);
        });
      }
      return 'Counted.';
    },
  });
  const replica = (job: Job = counting()): Scheduler =>
    startScheduler({
      ...{ database, jobs: [job], logger: pino({ level: 'silent' }), now: () => nowMs, isStarted: false },
    });
  const acts = (id = 'test.counting') =>
    database.db.selectFrom('registry_events').selectAll().where('action', '=', id).orderBy('id').execute();
  const counted = async (): Promise<string[]> => (await acts()).map(({ detail }) => detail);
  const stepsOf = (...dueMs: number[]): string[] =>
    dueMs.flatMap((ms) => Array.from({ length: STEPS }, (_, step) => `${ms} ${step}`));

  test('a job runs when it is due, once for all that it missed while it was down, and again after a clock that was set back', async () => {
    const scheduler = replica();
    await scheduler.tick();
    await scheduler.tick();
    expect(await counted()).toEqual(stepsOf(START_MS));
    nowMs += 47 * MINUTE_MS;
    await replica().tick();
    expect(await counted()).toEqual(stepsOf(START_MS, START_MS + 40 * MINUTE_MS));
    nowMs = START_MS - 100 * MINUTE_MS;
    await scheduler.tick();
    await scheduler.tick();
    expect(await counted()).toEqual(stepsOf(START_MS, START_MS + 40 * MINUTE_MS, START_MS - 100 * MINUTE_MS));
    const [item] = await listJobs(database.db, scheduler.jobs, nowMs);
    expect(item).toMatchObject({ state: 'waiting', next_due_at: new Date(nowMs + 10 * MINUTE_MS).toISOString() });
    expect(item!.runs.map(({ outcome, detail }) => [outcome, detail])).toEqual(Array(3).fill(['done', 'Counted.']));
  });

  test('a failed run is tried again from its start within minutes, and says that it failed', async () => {
    const scheduler = replica();
    failure = { atStep: 2, error: new Error('of a library, maybe with what it was given') };
    await scheduler.tick();
    const [item] = await listJobs(database.db, scheduler.jobs, nowMs);
    expect(item!.runs[0]).toMatchObject({ outcome: 'failed', detail: 'It failed; the log of query-api says why.' });
    nowMs += 5 * MINUTE_MS;
    await scheduler.tick();
    expect(await counted()).toHaveLength(2 + STEPS);
  });

  test('by hand it runs beside its schedule; a second start while it runs is refused', async () => {
    let goOn: () => void = () => undefined;
    const waiting = new Promise<void>((resolve) => (goOn = resolve));
    const scheduler = replica({ ...counting(), run: async (run) => (await waiting, counting().run(run)) });
    const first = scheduler.runNow('test.counting', 'ada@example.com', 60_000);
    await expect.poll(() => scheduler.isRunning('test.counting')).toBe(true);
    await expect(scheduler.runNow('test.counting', 'bob@example.com', 0)).rejects.toMatchObject({ code: 'conflict' });
    goOn();
    await first;
    expect(await counted()).toHaveLength(STEPS);
    await expect(scheduler.runNow('none', 'ada@example.com', 0)).rejects.toMatchObject({ code: 'not_found' });
  });

  test('however processes die in the middle and the clock jumps, every run does each of its acts once', async () => {
    const happening = fc.record({
      jumpMinutes: fc.oneof(fc.constant(0), fc.integer({ min: -40, max: 40 })),
      // Before which act the process ends, or loses the registry; beyond the last one it does neither.
      diesAt: fc.integer({ min: 0, max: STEPS + 2 }),
    });
    let tries = 0;
    await fc.assert(
      fc.asyncProperty(fc.array(happening, { minLength: 1, maxLength: 6 }), async (happenings) => {
        const id = `test.${tries++}`;
        nowMs = START_MS;
        for (const { jumpMinutes, diesAt } of happenings) {
          nowMs += jumpMinutes * MINUTE_MS;
          failure = { atStep: diesAt, error: new RegistryUnavailableError(new Error('gone')) };
          await replica(counting(id)).tick();
        }
        failure = null;
        await replica(counting(id)).tick();
        const runs = await database.db.selectFrom('job_runs').selectAll().where('job_id', '=', id).execute();
        expect(runs.map(({ outcome }) => outcome)).toEqual(runs.map(() => 'done'));
        expect((await acts(id)).map(({ actor, detail }) => `${actor} ${detail}`).toSorted()).toEqual(
          runs.flatMap((run) => stepsOf(run.due_at.getTime()).map((step) => `${run.id} ${step}`)).toSorted(),
        );
      }),
      { numRuns: 15 },
    );
  });
});

const servers = registryTargets(inject('postgresUrl')).filter(([name]) => name === 'Postgres');
describe.each(servers)('replicas on one %s', (_name, openRegistry) => {
  test('run each job once between them, also when one of them loses its lock in the middle', async () => {
    const target = await openRegistry();
    const databases = await Promise.all([openDatabase(target.url), openDatabase(target.url)]);
    const [one, other] = databases;
    await migrateRegistry(one!.db);
    let nowMs = START_MS;
    const done: string[] = [];
    let held: (() => Promise<void>) | null = null;
    const job: Job = {
      ...{ id: 'test.shared', title: 'Share', does: 'Shares.', schedule: '*/10 * * * *' },
      async run(run) {
        const hold = held;
        held = null;
        await hold?.();
        if (run.cursor === null) await run.act(async () => (done.push(run.id), 'end'));
        return 'Shared.';
      },
    };
    const schedulers = databases.map((database) =>
      startScheduler({
        ...{ database, jobs: [job], logger: pino({ level: 'silent' }), now: () => nowMs, isStarted: false },
      }),
    );
    for (let instant = 0; instant < 5; instant += 1, nowMs += 10 * MINUTE_MS) {
      await Promise.all(schedulers.map((scheduler) => scheduler.tick()));
    }
    expect(done).toHaveLength(5);
    held = async () => {
      const locked = sql`SELECT pid FROM pg_locks WHERE locktype = 'advisory' AND database = (SELECT oid FROM pg_database WHERE datname = current_database())`;
      await sql`SELECT pg_terminate_backend(pid) FROM (${locked}) AS held WHERE pid <> pg_backend_pid()`.execute(
        other!.db,
      );
      await expect.poll(async () => (await schedulers[1]!.tick(), done.length)).toBe(6);
    };
    await Promise.allSettled([schedulers[0]!.tick()]);
    expect(done).toHaveLength(6);
    const runs = await one!.db.selectFrom('job_runs').select(['outcome', 'resumed']).orderBy('id').execute();
    expect(runs.at(-1)).toEqual({ outcome: 'done', resumed: 1 });
    for (const database of databases) await database.close();
    await target.drop();
  });
});
