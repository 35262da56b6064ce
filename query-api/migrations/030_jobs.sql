-- Recurring work. A job runs on one replica at a time: an advisory lock keeps the others out, and `claim` keeps out one that lost
-- that lock without hearing of it.

CREATE TABLE jobs (
    id          text PRIMARY KEY,
    next_due_at timestamptz NOT NULL,
    -- The instant that the last run was for; null before the first.
    last_due_at timestamptz,
    -- The run under way; null between runs. A run whose process died stays here, and whoever comes next goes on with it.
    run_id      bigint,
    -- How far that run is, as the job itself says; written in the transaction of what was done up to there.
    cursor      text,
    -- Grows each time somebody takes the job up. Acts under an older claim are refused.
    claim       integer NOT NULL DEFAULT 0
);

CREATE TABLE job_runs (
    id         bigserial PRIMARY KEY,
    job_id     text NOT NULL REFERENCES jobs (id),
    due_at     timestamptz NOT NULL,
    -- Who started it by hand; '' for the schedule.
    by         text NOT NULL DEFAULT '',
    started_at timestamptz NOT NULL,
    ended_at   timestamptz,
    outcome    text NOT NULL CHECK (outcome IN ('running', 'done', 'failed')),
    -- One sentence about what it did, or why it failed.
    detail     text NOT NULL DEFAULT '',
    -- How often it was gone on with after its process died or lost the database.
    resumed    integer NOT NULL DEFAULT 0
);
CREATE INDEX job_runs_of ON job_runs (job_id, id DESC);
