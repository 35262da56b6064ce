-- A key's whole life: budget and limits, several secrets one after the other, a log of every change, and what keys belong to.

ALTER TABLE credentials
    -- Both or none. Decimal as text, so that no driver rounds it.
    ADD COLUMN budget_usd text NOT NULL DEFAULT '' CHECK (budget_usd ~ '^(\d{1,7}(\.\d{1,9})?)?$'),
    ADD COLUMN budget_period text NOT NULL DEFAULT '' CHECK (budget_period IN ('', 'day', 'week', 'month')),
    ADD COLUMN rate_limit_per_minute integer CHECK (rate_limit_per_minute >= 1),
    -- When its present secret came to be.
    ADD COLUMN secret_created_at timestamptz;
UPDATE credentials SET secret_created_at = created_at;
ALTER TABLE credentials ALTER COLUMN secret_created_at SET NOT NULL;

-- Every secret that a credential has or had, by the key of its record on the topic. credentials.fingerprint and hint are those
-- of the present one.
CREATE TABLE credential_secrets (
    record_key    text PRIMARY KEY,
    credential_id text NOT NULL REFERENCES credentials (id),
    fingerprint   text NOT NULL DEFAULT '',
    hint          text NOT NULL DEFAULT '',
    created_at    timestamptz NOT NULL,
    created_by    text NOT NULL,
    -- Set once another secret took its place; null for the present one.
    replaced_at   timestamptz,
    replaced_by   text NOT NULL DEFAULT '',
    -- From when on it is dead: the end of its grace, or earlier when the credential was revoked. Null for the present one.
    ends_at       timestamptz,
    -- Of its record on the topic, which only moves when that record changes.
    version       integer NOT NULL CHECK (version >= 1)
);
INSERT INTO credential_secrets (record_key, credential_id, fingerprint, hint, created_at, created_by, version)
    SELECT record_key, id, fingerprint, hint, created_at, created_by, version FROM credentials;
CREATE INDEX credential_secrets_of ON credential_secrets (credential_id);
CREATE UNIQUE INDEX credential_secrets_present ON credential_secrets (credential_id) WHERE replaced_at IS NULL;

CREATE INDEX outbox_of ON outbox (credential_id);

-- What a change changed: [{field, before, after}]. Rows are only ever added.
ALTER TABLE registry_events ADD COLUMN changes jsonb NOT NULL DEFAULT '[]';
CREATE INDEX registry_events_of ON registry_events (credential_id, id DESC);

-- lowered: the finding stays open and counts as medium, because a key was registered for which nobody, or no organisation, answers.
ALTER TABLE triage DROP CONSTRAINT triage_status_check;
ALTER TABLE triage ADD CONSTRAINT triage_status_check CHECK (status IN ('resolved', 'lowered'));

-- A creation that is sent twice makes one key.
CREATE TABLE idempotency_keys (
    actor          text NOT NULL,
    key            text NOT NULL,
    request_sha256 text NOT NULL,
    credential_id  text NOT NULL REFERENCES credentials (id),
    at             timestamptz NOT NULL,
    PRIMARY KEY (actor, key)
);

-- Projects, teams and service accounts. Keys name them; a name that no row has is one that was only ever typed.
CREATE TABLE directory (
    kind        text NOT NULL CHECK (kind IN ('project', 'team', 'service_account')),
    name        text NOT NULL,
    description text NOT NULL DEFAULT '',
    owner       text NOT NULL DEFAULT '',
    created_at  timestamptz NOT NULL,
    created_by  text NOT NULL,
    archived_at timestamptz,
    PRIMARY KEY (kind, name)
);
