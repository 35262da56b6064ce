-- The registry: managed and registered credentials. Its active part is the allowlist.
-- Forward only. Runs in one transaction under an advisory lock.

CREATE TABLE credentials (
    id              text PRIMARY KEY,
    -- Key of the record on the credentials topic: the fingerprint, or the lane of hint and org where there is none.
    -- Unique, because of two records with one key the topic keeps only the last.
    record_key      text NOT NULL UNIQUE,
    fingerprint     text NOT NULL DEFAULT '',
    hint            text NOT NULL DEFAULT '',
    name            text NOT NULL,
    kind            text NOT NULL CHECK (kind IN ('managed', 'registered')),
    provider        text NOT NULL DEFAULT '',
    org             text NOT NULL DEFAULT '',
    project         text NOT NULL DEFAULT '',
    owner           text NOT NULL DEFAULT '',
    owner_kind      text NOT NULL DEFAULT '',
    team            text NOT NULL DEFAULT '',
    module          text NOT NULL DEFAULT '',
    environment     text NOT NULL DEFAULT '',
    scopes          jsonb NOT NULL DEFAULT '[]',
    allowed_cidrs   jsonb NOT NULL DEFAULT '[]',
    expected_agents jsonb NOT NULL DEFAULT '[]',
    expected_repos  jsonb NOT NULL DEFAULT '[]',
    sharing         text NOT NULL DEFAULT 'personal' CHECK (sharing IN ('personal', 'team')),
    people_declared integer NOT NULL DEFAULT 1 CHECK (people_declared >= 1),
    created_at      timestamptz NOT NULL,
    created_by      text NOT NULL,
    expires_at      timestamptz,
    revoked_at      timestamptz,
    revoked_by      text NOT NULL DEFAULT '',
    revoke_reason   text NOT NULL DEFAULT '',
    grace_ends_at   timestamptz,
    -- Grows with every change; consumers keep the higher of two.
    version         integer NOT NULL CHECK (version >= 1)
);
CREATE INDEX credentials_newest ON credentials (created_at DESC, id DESC);

-- Changes on their way to the credentials topic, written in the transaction that made them. Every registry transaction
-- takes one advisory lock first, so that ids grow in commit order and none appears below one already read.
CREATE TABLE outbox (
    id            bigserial PRIMARY KEY,
    credential_id text NOT NULL REFERENCES credentials (id),
    -- The record as published; a snapshot, so that the topic shows every version.
    record        jsonb NOT NULL,
    created_at    timestamptz NOT NULL,
    -- Set once the bus confirmed it.
    sent_at       timestamptz
);
CREATE INDEX outbox_unsent ON outbox (id) WHERE sent_at IS NULL;

-- Triage by rule and lane: what was decided about every finding of that rule on that lane up to then. Keyed by lane
-- instead of finding id, so that a finding still on its way into the store when the decision falls is covered too.
CREATE TABLE triage (
    lane          text NOT NULL,
    rule          text NOT NULL,
    status        text NOT NULL CHECK (status IN ('resolved')),
    at            timestamptz NOT NULL,
    by            text NOT NULL,
    reason        text NOT NULL,
    credential_id text NOT NULL DEFAULT '',
    PRIMARY KEY (lane, rule)
);

-- Who did what to the registry.
CREATE TABLE registry_events (
    id            bigserial PRIMARY KEY,
    at            timestamptz NOT NULL,
    actor         text NOT NULL,
    action        text NOT NULL,
    credential_id text NOT NULL,
    detail        text NOT NULL DEFAULT ''
);

-- One-time sign-in links. Only hashes: a copy of this table opens nothing.
CREATE TABLE sign_in_links (
    token_hash text PRIMARY KEY,
    created_at timestamptz NOT NULL,
    expires_at timestamptz NOT NULL,
    used_at    timestamptz
);

CREATE TABLE sessions (
    token_hash   text PRIMARY KEY,
    account      text NOT NULL,
    created_at   timestamptz NOT NULL,
    last_used_at timestamptz NOT NULL,
    expires_at   timestamptz NOT NULL
);
