import { setTimeout as delay } from 'node:timers/promises';
import { crc32 } from 'node:zlib';
import { schedule } from 'node-cron';
import type { Logger } from 'pino';
import { ProblemError } from '../http/problem.ts';
import { LOCKS } from '../registry/database.ts';
import type { Database } from '../registry/database.ts';
import { RegistryUnavailableError } from '../registry/unavailable.ts';
import { calendarOf } from './calendar.ts';
import type { Calendar } from './calendar.ts';
import { RunEnded } from './job.ts';
import type { Job } from './job.ts';
import { actOf, addJobs, dueJobs, endRun, takeUp } from './store.ts';

/** The longest rest between two parts of the work of a job. */
const REST_MS_MAX = 100;
/** How often jobs that are due are looked for. */
const LOOK_SCHEDULE = '*/5 * * * * *';

/** Runs jobs when they are due, on one replica at a time. */
export interface Scheduler {
  readonly jobs: readonly Job[];
  /** Whether this process runs it now. */
  isRunning(id: string): boolean;
  /** Takes up everything that is due and waits until it is through. The schedule calls it; tests do so by themselves. */
  tick(): Promise<void>;
  /**
   * Starts a job by hand and waits until it is through, or for so long.
   * @throws {ProblemError} `not_found`; `conflict` when it runs already, here or elsewhere
   */
  runNow(id: string, by: string, waitMs: number): Promise<void>;
  /** Stops between two parts of the work. What is left is gone on with after the next start. */
  close(): Promise<void>;
}

/** @param parts.isStarted false leaves the ticks to the caller */
export function startScheduler(parts: {
  database: Database;
  jobs: readonly Job[];
  logger: Logger;
  now: () => number;
  isStarted?: boolean;
}): Scheduler {
  const { database, jobs, logger, now, isStarted = true } = parts;
  const { db } = database;
  const calendars = new Map(jobs.map((job): [string, Calendar] => [job.id, calendarOf(job.schedule)]));
  const running = new Map<string, Promise<void>>();
  let isClosing = false;
  let areAdded = false;

  /** Runs it where nobody else does and there is something to do. `onTaken` hears which. */
  async function run(job: Job, by: string, onTaken: (isTaken: boolean) => void): Promise<void> {
    let wasTaken = false;
    await database.exclusively(LOCKS.jobs + crc32(job.id), async () => {
      const taken = await takeUp(db, { id: job.id, calendar: calendars.get(job.id)!, by }, now());
      if (taken === null) return;
      wasTaken = true;
      onTaken(true);
      const log = logger.child({ job: job.id, run: taken.runId });
      if (taken.isResumed) log.info({ cursor: taken.cursor }, 'going on with a run that was left in the middle');
      const { dueMs } = taken;
      const handle = {
        ...{ id: taken.runId, dueMs, now, cursor: taken.cursor },
        async act(work: Parameters<typeof actOf>[2]) {
          if (isClosing) throw new RunEnded('The process is stopping.');
          const begunMs = performance.now();
          handle.cursor = await actOf(db, taken, work);
          // As long as it took, others have the registry to themselves: a reader asks several questions, one after the other.
          await delay(Math.min(performance.now() - begunMs, REST_MS_MAX));
        },
      };
      const end = await job.run(handle).then(
        (detail) => ({ outcome: 'done' as const, detail }),
        (error: unknown) => failureOf(error),
      );
      if (end === null) return;
      if (end.outcome === 'failed') log.warn({ err: end.error }, 'a job failed and is tried again');
      else log.info({ detail: end.detail }, 'a job is done');
      await endRun(db, taken, { outcome: end.outcome, detail: end.detail }, now());
    });
    onTaken(wasTaken);
  }

  function start(job: Job, by: string, onTaken: (isTaken: boolean) => void = () => undefined): Promise<void> {
    const started = run(job, by, onTaken).finally(() => running.delete(job.id));
    running.set(job.id, started);
    return started;
  }

  async function tick(): Promise<void> {
    if (isClosing) return;
    if (!areAdded) {
      await addJobs(db, [...calendars.keys()], now());
      areAdded = true;
    }
    const due = new Set(await dueJobs(db, [...calendars.keys()], now()));
    const free = jobs.filter(({ id }) => due.has(id) && !running.has(id));
    const ends = await Promise.allSettled(free.map((job) => start(job, '')));
    const failed = ends.find((end) => end.status === 'rejected');
    if (failed !== undefined) throw failed.reason;
  }

  const look = (): Promise<void> =>
    tick().catch((error: unknown) => logger.warn({ err: error }, 'jobs are not looked after, trying again'));
  // Not `noOverlap`: a job that takes long must not keep the others from starting.
  const looking = isStarted
    ? schedule(LOOK_SCHEDULE, () => void look(), { unref: true, suppressMissedWarning: true })
    : null;
  if (isStarted) void look();

  return {
    jobs,
    isRunning: (id) => running.has(id),
    tick,
    async runNow(id, by, waitMs) {
      const job = jobs.find((one) => one.id === id);
      if (job === undefined) throw new ProblemError('not_found', 'No job has this id.');
      const already = new ProblemError('conflict', 'It is running already. Look at it again in a moment.');
      if (running.has(id)) throw already;
      await addJobs(db, [id], now());
      const isTaken = await new Promise<boolean>((resolve, reject) => {
        start(job, by, resolve).catch((error: unknown) => {
          logger.warn({ err: error, job: id }, 'a job was not run');
          reject(error as Error);
        });
      });
      if (!isTaken) throw already;
      let timer: NodeJS.Timeout | undefined;
      const waited = new Promise<void>((resolve) => (timer = setTimeout(resolve, waitMs)));
      await Promise.race([running.get(id)?.catch(() => undefined), waited]);
      clearTimeout(timer);
    },
    async close() {
      isClosing = true;
      await looking?.destroy();
      await Promise.allSettled(running.values());
    },
  };
}

/** How a run ended that threw; null when it goes on elsewhere or later. */
function failureOf(error: unknown): { outcome: 'failed'; detail: string; error: unknown } | null {
  // The registry went away: nobody can note an end, and whoever finds the run goes on with it.
  if (error instanceof RunEnded || error instanceof RegistryUnavailableError) return null;
  // Messages of libraries may repeat what they were given, so only our own are shown.
  const detail = error instanceof ProblemError ? error.detail : 'It failed; the log of query-api says why.';
  return { outcome: 'failed', detail, error };
}
