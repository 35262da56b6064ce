import type { JobItem, JobRunItem } from '../../contract/index.ts';
import { ProblemError } from '../http/problem.ts';
import type { RegistryDatabase } from '../registry/database.ts';
import type { Job } from './job.ts';
import type { JobTables } from './tables.ts';
import type { Selectable } from 'kysely';

/** Runs shown of each job. */
const RUNS_SHOWN = 10;

/** Jobs with their last runs, in the order in which they are registered. */
export async function listJobs(db: RegistryDatabase, jobs: readonly Job[], nowMs: number): Promise<JobItem[]> {
  const rows = new Map((await db.selectFrom('jobs').selectAll().execute()).map((row) => [row.id, row]));
  return Promise.all(
    jobs.map(async ({ id, title, does, schedule }) => {
      const runs = await db
        .selectFrom('job_runs')
        .selectAll()
        .where('job_id', '=', id)
        .orderBy('id', 'desc')
        .limit(RUNS_SHOWN)
        .execute();
      const row = rows.get(id);
      return {
        ...{ id, title, does, schedule },
        state: row?.run_id == null ? ('waiting' as const) : ('running' as const),
        // A job that is new here is due at once.
        next_due_at: (row?.next_due_at ?? new Date(nowMs)).toISOString(),
        runs: runs.map(itemOf),
      };
    }),
  );
}

/** One job. @throws {ProblemError} `not_found` */
export async function readJob(db: RegistryDatabase, jobs: readonly Job[], id: string, nowMs: number): Promise<JobItem> {
  const [item] = await listJobs(
    db,
    jobs.filter((job) => job.id === id),
    nowMs,
  );
  if (item === undefined) throw new ProblemError('not_found', 'No job has this id.');
  return item;
}

function itemOf(run: Selectable<JobTables['job_runs']>): JobRunItem {
  const { id, by, outcome, detail, resumed } = run;
  return {
    ...{ id: Number(id), by, outcome, detail, resumed },
    due_at: run.due_at.toISOString(),
    started_at: run.started_at.toISOString(),
    ended_at: run.ended_at?.toISOString() ?? null,
    duration_ms: run.ended_at === null ? null : Math.max(0, run.ended_at.getTime() - run.started_at.getTime()),
  };
}
