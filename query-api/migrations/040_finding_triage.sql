-- What people decided about findings, one row a finding. What the registry decides about a rule on a lane stays in triage;
-- of the two the later one counts.
CREATE TABLE finding_triage (
    finding_id text PRIMARY KEY,
    -- open: nobody decided, or it was re-opened by hand.
    state      text NOT NULL CHECK (state IN ('open', 'acknowledged', 'snoozed', 'resolved')),
    -- When and by whom this state came to be; null while it was only assigned or commented.
    state_at   timestamptz,
    state_by   text NOT NULL DEFAULT '',
    reason     text NOT NULL DEFAULT '',
    -- As what it was resolved, and how severe it was then; '' in any other state.
    resolution text NOT NULL DEFAULT '' CHECK (resolution IN ('', 'fixed', 'false_positive', 'accepted_risk')),
    severity   text NOT NULL DEFAULT '',
    -- End of a snooze.
    until      timestamptz,
    -- E-mail of a person; '' for nobody.
    assignee   text NOT NULL DEFAULT '',
    comments   integer NOT NULL DEFAULT 0,
    -- Grows with every act but comments.
    version    integer NOT NULL CHECK (version >= 0)
);
CREATE INDEX finding_triage_of ON finding_triage (assignee) WHERE assignee <> '';
CREATE INDEX finding_triage_states ON finding_triage (state) WHERE state <> 'open';

-- Every act, comments among them. Rows are only ever added, under one advisory lock, so that ids grow in commit order.
CREATE TABLE finding_events (
    id         bigserial PRIMARY KEY,
    finding_id text NOT NULL,
    at         timestamptz NOT NULL,
    -- '' for what no person did.
    actor      text NOT NULL,
    act        text NOT NULL CHECK (act IN ('acknowledge', 'resolve', 'reopen', 'snooze', 'assign', 'comment', 'occurred_again')),
    resolution text NOT NULL DEFAULT '',
    until      timestamptz,
    assignee   text,
    -- The reason given, or the comment.
    body       text NOT NULL DEFAULT '',
    -- Of the finding's row, after this.
    version    integer NOT NULL
);
CREATE INDEX finding_events_of ON finding_events (finding_id, id);
