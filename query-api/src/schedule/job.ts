import type { RegistryTransaction } from '../registry/database.ts';

/** Recurring work. To add a job, write one of these and put it into `jobsOf` in jobs.ts. */
export interface Job {
  /** Dotted lower-case name; it is the key of its row, so it never changes. */
  id: string;
  title: string;
  /** One sentence: what a run does. */
  does: string;
  /** Cron expression of five fields, in UTC, at least once a week. */
  schedule: string;
  /**
   * One run. It may begin in the middle, at `run.cursor`, where an earlier process left it. Whatever it changes goes through `run.act`.
   * @returns one sentence about what it did
   * @throws whatever went wrong: the run counts as failed and is tried again in a few minutes, from its start
   */
  run(run: JobRun): Promise<string>;
}

/** A run under way, as the job sees it. */
export interface JobRun {
  id: string;
  /** The instant it is for, epoch milliseconds: the newest one of its schedule, or when somebody started it by hand. */
  dueMs: number;
  now: () => number;
  /** How far the run is; null at its start. */
  cursor: string | null;
  /**
   * Does a part of the work in one transaction, together with the cursor after it, which it returns: either both are there or none. Keep it to some
   * hundred rows, and ask other services before, not inside. It holds the lock of registry changes.
   * @throws RunEnded when the process is stopping, or another one has taken the run over: let it pass
   */
  act(work: (transaction: RegistryTransaction) => Promise<string>): Promise<void>;
}

/** This process may do nothing more for a run: whoever takes it up next goes on. */
export class RunEnded extends Error {
  constructor(reason: string) {
    super(reason);
    this.name = 'RunEnded';
  }
}
