import { sql } from 'kysely';
import type { RegistryDatabase } from '../registry/database.ts';
import { change } from '../registry/registry.ts';
import type { RegistryTransaction } from '../registry/database.ts';
import type { Calendar } from './calendar.ts';
import { RunEnded } from './job.ts';

/** A run that this process has taken up. */
export interface Taken {
  jobId: string;
  runId: string;
  claim: number;
  dueMs: number;
  cursor: string | null;
  isResumed: boolean;
}

/** A clock that is this much behind the last run was set back; less is what replicas' clocks differ by. */
const SET_BACK_MS = 60_000;
/** A job that failed is tried again after this, or when it is due, whichever is first. */
const RETRY_MS = 5 * 60_000;
/** Runs kept of each job. */
const RUNS_KEPT = 200;

/** Makes rows for jobs that have none. They are due from the start of the process that first knew them. */
export async function addJobs(db: RegistryDatabase, ids: readonly string[], nowMs: number): Promise<void> {
  if (ids.length === 0) return;
  await db
    .insertInto('jobs')
    .values(ids.map((id) => ({ id, next_due_at: new Date(nowMs), last_due_at: null, run_id: null, cursor: null })))
    .onConflict((conflict) => conflict.column('id').doNothing())
    .execute();
}

/** Ids of jobs that are to be taken up: due, or left in the middle. A clock that was set back makes them due by the new time. */
export async function dueJobs(db: RegistryDatabase, ids: readonly string[], nowMs: number): Promise<string[]> {
  const rows = await db
    .selectFrom('jobs')
    .select(['id', 'run_id', 'next_due_at', 'last_due_at'])
    .where('id', 'in', [...ids])
    .execute();
  return rows.filter((row) => row.run_id !== null || isDue(row, nowMs)).map(({ id }) => id);
}

function isDue(row: { next_due_at: Date; last_due_at: Date | null }, nowMs: number): boolean {
  if (row.next_due_at.getTime() <= nowMs) return true;
  return row.last_due_at !== null && row.last_due_at.getTime() > nowMs + SET_BACK_MS;
}

/**
 * Takes a job up: goes on with the run that was left in the middle, or begins one. Only for whoever holds the job's lock.
 * @param by who starts it by hand; '' where it must be due
 * @returns null when there is nothing to do
 */
export function takeUp(
  db: RegistryDatabase,
  job: { id: string; calendar: Calendar; by: string },
  nowMs: number,
): Promise<Taken | null> {
  return db.transaction().execute(async (transaction) => {
    const row = await transaction
      .selectFrom('jobs')
      .selectAll()
      .where('id', '=', job.id)
      .forUpdate()
      .executeTakeFirstOrThrow();
    const claim = row.claim + 1;
    if (row.run_id !== null) {
      await transaction.updateTable('jobs').set({ claim }).where('id', '=', job.id).execute();
      const run = await transaction
        .updateTable('job_runs')
        .set({ resumed: sql`resumed + 1` })
        .where('id', '=', row.run_id)
        .returning('due_at')
        .executeTakeFirstOrThrow();
      const dueMs = run.due_at.getTime();
      return { jobId: job.id, runId: String(row.run_id), claim, dueMs, cursor: row.cursor, isResumed: true };
    }
    if (job.by === '' && !isDue(row, nowMs)) return null;
    // Whatever was missed while nobody ran it is caught up with one run, for the newest instant.
    const dueMs = job.by === '' ? job.calendar.upTo(nowMs) : nowMs;
    const run = await transaction
      .insertInto('job_runs')
      .values({
        ...{ job_id: job.id, due_at: new Date(dueMs), by: job.by, started_at: new Date(nowMs), ended_at: null },
        outcome: 'running',
      })
      .returning('id')
      .executeTakeFirstOrThrow();
    await transaction
      .updateTable('jobs')
      .set({
        next_due_at: new Date(job.calendar.after(nowMs)),
        last_due_at: new Date(dueMs),
        run_id: run.id,
        cursor: null,
        claim,
      })
      .where('id', '=', job.id)
      .execute();
    return { jobId: job.id, runId: String(run.id), claim, dueMs, cursor: null, isResumed: false };
  });
}

/**
 * Does a part of a run's work in one transaction with its cursor.
 * @throws RunEnded when somebody else has taken the run over
 */
export function actOf(
  db: RegistryDatabase,
  taken: Taken,
  work: (transaction: RegistryTransaction) => Promise<string>,
): Promise<string> {
  return change(db, async (transaction) => {
    const held = await transaction
      .selectFrom('jobs')
      .select('id')
      .where('id', '=', taken.jobId)
      .where('claim', '=', taken.claim)
      .where('run_id', '=', taken.runId)
      .forUpdate()
      .executeTakeFirst();
    if (held === undefined) throw new RunEnded('Another process has taken this run over.');
    const cursor = await work(transaction);
    await transaction.updateTable('jobs').set({ cursor }).where('id', '=', taken.jobId).execute();
    return cursor;
  });
}

/** Notes the end of a run, unless somebody else has taken it over. */
export function endRun(
  db: RegistryDatabase,
  taken: Taken,
  end: { outcome: 'done' | 'failed'; detail: string },
  nowMs: number,
): Promise<void> {
  return db.transaction().execute(async (transaction) => {
    const row = await transaction
      .selectFrom('jobs')
      .select('next_due_at')
      .where('id', '=', taken.jobId)
      .where('claim', '=', taken.claim)
      .forUpdate()
      .executeTakeFirst();
    if (row === undefined) return;
    const nextMs = row.next_due_at.getTime();
    const next_due_at = end.outcome === 'failed' ? new Date(Math.min(nextMs, nowMs + RETRY_MS)) : row.next_due_at;
    await transaction
      .updateTable('jobs')
      .set({ run_id: null, cursor: null, next_due_at })
      .where('id', '=', taken.jobId)
      .execute();
    await transaction
      .updateTable('job_runs')
      .set({ ...end, ended_at: new Date(nowMs) })
      .where('id', '=', taken.runId)
      .execute();
    await transaction
      .deleteFrom('job_runs')
      .where('job_id', '=', taken.jobId)
      .where('id', '<', ({ selectFrom }) =>
        selectFrom('job_runs')
          .select('id')
          .where('job_id', '=', taken.jobId)
          .orderBy('id', 'desc')
          .offset(RUNS_KEPT - 1)
          .limit(1),
      )
      .execute();
  });
}
