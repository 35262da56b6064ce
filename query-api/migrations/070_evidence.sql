-- Evidence that keys were used as they should be: runs beside the receipt of the file with their calls.
CREATE TABLE evidence (
    id          text PRIMARY KEY,
    captured_at timestamptz NOT NULL,
    captured_by text NOT NULL,
    export_id   text NOT NULL REFERENCES export_receipts (id),
    -- As it is handed out, the signature included.
    evidence    jsonb NOT NULL
);
CREATE INDEX evidence_newest ON evidence (captured_at DESC, id DESC);
