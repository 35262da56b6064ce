-- Dead letters that were put on the usage topic again, each once.
CREATE TABLE dead_letter_replays (
    -- Where it stood on the bus: partition, offset and index.
    id           text PRIMARY KEY,
    begun_at     timestamptz NOT NULL,
    -- Null until the bus has it; one that stays null was cut off, and may be begun again after a minute.
    published_at timestamptz,
    actor        text NOT NULL
);
