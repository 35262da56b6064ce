-- How detection rules are set, where otherwise than their catalogue says.

CREATE TABLE rule_settings (
    rule           text NOT NULL,
    -- Every version is kept: each decides the events of its time.
    version        integer NOT NULL CHECK (version >= 1),
    -- Events received from then on are held against it.
    effective_from timestamptz NOT NULL,
    -- As it travels on the rules topic.
    settings       jsonb NOT NULL,
    set_at         timestamptz NOT NULL,
    set_by         text NOT NULL,
    -- When the bus had it; null while it waits: this table is its own outbox.
    sent_at        timestamptz,
    PRIMARY KEY (rule, version)
);
