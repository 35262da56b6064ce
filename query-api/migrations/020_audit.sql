-- Who did what to which key or setting: rows are only ever added, each hashed together with the hash of the one before it.
-- A row's content is the text that was hashed. What it is filtered by is generated from that text, so that the two can't differ.
CREATE TABLE audit_trail (
    seq           bigint PRIMARY KEY,
    -- Canonical JSON: sorted names, no white space. Holds `seq` and `previous`, the hash of the row before.
    entry         text NOT NULL,
    -- SHA-256 of entry, lower-case hex.
    hash          text NOT NULL,
    at            text NOT NULL GENERATED ALWAYS AS (entry::jsonb ->> 'at') STORED,
    actor         text NOT NULL GENERATED ALWAYS AS (entry::jsonb ->> 'actor') STORED,
    action        text NOT NULL GENERATED ALWAYS AS (entry::jsonb ->> 'action') STORED,
    subject_kind  text NOT NULL GENERATED ALWAYS AS (entry::jsonb -> 'subject' ->> 'kind') STORED,
    subject       text NOT NULL GENERATED ALWAYS AS (entry::jsonb -> 'subject' ->> 'id') STORED,
    credential_id text NOT NULL GENERATED ALWAYS AS (entry::jsonb ->> 'credential_id') STORED
);
CREATE INDEX audit_trail_of_credential ON audit_trail (credential_id, seq DESC) WHERE credential_id <> '';
CREATE INDEX audit_trail_of_actor ON audit_trail (actor, seq DESC);
CREATE INDEX audit_trail_of_subject ON audit_trail (subject_kind, subject, seq DESC);

-- The newest row, in a table of its own: a tail that was cut off is found by it. Whoever appends locks it first.
CREATE TABLE audit_head (
    is_only boolean PRIMARY KEY DEFAULT true CHECK (is_only),
    seq     bigint NOT NULL,
    hash    text NOT NULL
);
INSERT INTO audit_head (seq, hash) VALUES (0, '0000000000000000000000000000000000000000000000000000000000000000');

-- Against mistakes. Whoever owns the tables can take this off, and is found by the hashes.
CREATE FUNCTION refuse_audit_change() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RAISE EXCEPTION ''rows of the audit trail are only ever added''; END';
CREATE TRIGGER audit_trail_grows_only BEFORE UPDATE OR DELETE OR TRUNCATE ON audit_trail
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_audit_change();
