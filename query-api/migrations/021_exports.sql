-- The pair that receipts are signed with: made once. The private half is encrypted with a secret that is not in this database.
CREATE TABLE signing_key (
    is_only     boolean PRIMARY KEY DEFAULT true CHECK (is_only),
    key_id      text NOT NULL,
    public_key  text NOT NULL,
    private_key text NOT NULL,
    created_at  timestamptz NOT NULL,
    created_by  text NOT NULL
);

-- What was exported. A receipt is written when the last byte of its file has left; the trail has a row about it.
CREATE TABLE export_receipts (
    id        text PRIMARY KEY,
    made_at   timestamptz NOT NULL,
    made_by   text NOT NULL,
    -- The receipt as it is handed out, the signature included.
    receipt   jsonb NOT NULL,
    -- Where the trail ended with the row about this export: a trail that is shorter or says otherwise was tampered with.
    head_seq  bigint NOT NULL,
    head_hash text NOT NULL
);
CREATE INDEX export_receipts_newest ON export_receipts (made_at DESC, id DESC);
