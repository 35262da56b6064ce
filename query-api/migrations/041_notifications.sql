-- Where findings are told to people, and what was told. Addresses of webhooks and signing secrets are sealed with a key that is
-- not in this database.
CREATE TABLE channels (
    id           text PRIMARY KEY,
    kind         text NOT NULL CHECK (kind IN ('webhook', 'slack', 'email')),
    name         text NOT NULL,
    -- What may be shown of where it goes.
    target       text NOT NULL,
    -- {url, secret} or {to}, sealed.
    sealed       text NOT NULL,
    severity     text NOT NULL,
    orgs         jsonb NOT NULL DEFAULT '[]',
    projects     jsonb NOT NULL DEFAULT '[]',
    owners       jsonb NOT NULL DEFAULT '[]',
    pace         text NOT NULL CHECK (pace IN ('each', 'hourly', 'daily')),
    -- Times of day, UTC.
    quiet_from   text,
    quiet_to     text,
    enabled      boolean NOT NULL,
    created_at   timestamptz NOT NULL,
    created_by   text NOT NULL,
    version      integer NOT NULL,
    -- When it was noted which findings were there before it; they are not told. Null until then.
    baselined_at timestamptz,
    last_sent_at timestamptz
);

-- What is to be told: a row for each finding, and again each time it is re-opened. The key is what makes it one, however often the
-- notifier is killed.
CREATE TABLE channel_notices (
    channel_id  text NOT NULL REFERENCES channels (id),
    finding_id  text NOT NULL,
    -- Which opening: 0 the first, else the instant, epoch milliseconds, of the resolution that did not last.
    opening     bigint NOT NULL,
    state       text NOT NULL CHECK (state IN ('skipped', 'waiting', 'sent', 'given_up')),
    created_at  timestamptz NOT NULL,
    -- The message that it is part of, fixed before the first attempt, so that a repeated one is the same.
    delivery_id text,
    due_at      timestamptz NOT NULL,
    attempts    integer NOT NULL DEFAULT 0,
    sent_at     timestamptz,
    PRIMARY KEY (channel_id, finding_id, opening)
);
CREATE INDEX channel_notices_waiting ON channel_notices (channel_id, due_at) WHERE state = 'waiting';

-- Every attempt. The oldest go first.
CREATE TABLE channel_deliveries (
    id          bigserial PRIMARY KEY,
    channel_id  text NOT NULL REFERENCES channels (id),
    delivery_id text NOT NULL,
    at          timestamptz NOT NULL,
    findings    integer NOT NULL,
    ok          boolean NOT NULL,
    detail      text NOT NULL,
    duration_ms integer NOT NULL
);
CREATE INDEX channel_deliveries_of ON channel_deliveries (channel_id, id DESC);
