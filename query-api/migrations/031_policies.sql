-- Rules about keys that an organisation sets itself, the warnings that come of them, and secrets that wait for their owner.

CREATE TABLE policies (
    policy     text NOT NULL,
    -- '' for the organisation; else the project that has it otherwise.
    project    text NOT NULL DEFAULT '',
    mode       text NOT NULL CHECK (mode IN ('off', 'watch', 'enforce')),
    settings   jsonb NOT NULL,
    version    integer NOT NULL CHECK (version >= 1),
    updated_at timestamptz NOT NULL,
    updated_by text NOT NULL,
    PRIMARY KEY (policy, project)
);

-- Warnings to be told to people. Each is made once: that is the unique index, whoever tries and however often.
CREATE TABLE notices (
    id        bigserial PRIMARY KEY,
    -- Such as key.expires.
    kind      text NOT NULL,
    -- Id of the credential it is about.
    subject   text NOT NULL,
    -- How near or bad it is, such as 7d.
    threshold text NOT NULL,
    -- Which time this is, such as the instant at which the key ends: another end warns anew.
    key       text NOT NULL,
    at        timestamptz NOT NULL,
    -- One sentence.
    text      text NOT NULL,
    UNIQUE (kind, subject, threshold, key)
);
CREATE INDEX notices_of ON notices (subject, kind);

-- Replacements that wait for a key's owner. The new secret does not exist before the owner asks for it, so a copy of this table opens
-- nothing.
CREATE TABLE collections (
    id            text PRIMARY KEY,
    credential_id text NOT NULL REFERENCES credentials (id),
    -- Of the secret that is to be replaced. Once the key has another, there is nothing to collect any more.
    record_key    text NOT NULL,
    opened_at     timestamptz NOT NULL,
    opened_by     text NOT NULL,
    grace_ms      bigint NOT NULL,
    -- Without a collection the key ends then; after one the old secret ends then at the latest.
    last_date     timestamptz NOT NULL,
    status        text NOT NULL CHECK (status IN ('open', 'collected', 'missed', 'withdrawn')),
    ended_at      timestamptz,
    ended_by      text NOT NULL DEFAULT ''
);
CREATE UNIQUE INDEX collections_open ON collections (credential_id) WHERE status = 'open';
CREATE INDEX collections_newest ON collections (opened_at DESC, id);

-- Policies applied by hand: one act, done in parts.
CREATE TABLE policy_applications (
    id         text PRIMARY KEY,
    policy     text NOT NULL,
    started_at timestamptz NOT NULL,
    started_by text NOT NULL,
    changed    integer NOT NULL DEFAULT 0,
    -- Keys that break the policy and could not be changed.
    skipped    integer NOT NULL DEFAULT 0,
    ended_at   timestamptz
);
CREATE INDEX policy_applications_newest ON policy_applications (started_at DESC);
