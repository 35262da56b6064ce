-- Failed attempts to sign in, counted for all processes together. rate-limiter-flexible reads and writes it; its columns are these.
CREATE TABLE attempts (
    -- What is counted: a hash of the account with the address or device, an address, or a person's id.
    key    text PRIMARY KEY,
    points integer NOT NULL DEFAULT 0,
    -- When the count ends, epoch milliseconds.
    expire bigint
);
CREATE INDEX attempts_by_end ON attempts (expire);
