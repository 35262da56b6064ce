import type { Generated } from 'kysely';

/** The tables of jobs as kysely sees them; the comments on columns are in migrations/. */
export interface JobTables {
  jobs: {
    id: string;
    next_due_at: Date;
    last_due_at: Date | null;
    run_id: string | number | null;
    cursor: string | null;
    claim: Generated<number>;
  };
  job_runs: {
    id: Generated<string | number>;
    job_id: string;
    due_at: Date;
    by: string;
    started_at: Date;
    ended_at: Date | null;
    outcome: 'running' | 'done' | 'failed';
    detail: Generated<string>;
    resumed: Generated<number>;
  };
}
