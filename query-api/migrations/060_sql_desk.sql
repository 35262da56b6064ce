-- Queries that analysts keep, their own or shared with everybody, and what each of them ran last.

CREATE TABLE sql_queries (
    id          text PRIMARY KEY,
    title       text NOT NULL,
    sql         text NOT NULL,
    -- Values of its parameters by name, as text.
    parameters  jsonb NOT NULL DEFAULT '{}',
    -- How it is drawn: {kind, x, y}; null for a table alone.
    chart       jsonb,
    is_shared   boolean NOT NULL DEFAULT false,
    owner       text NOT NULL,
    created_at  timestamptz NOT NULL,
    updated_at  timestamptz NOT NULL
);
CREATE INDEX sql_queries_of ON sql_queries (owner, updated_at DESC);

-- Kept to the last hundred of each person.
CREATE TABLE sql_history (
    id         bigserial PRIMARY KEY,
    person     text NOT NULL,
    at         timestamptz NOT NULL,
    sql        text NOT NULL,
    parameters jsonb NOT NULL DEFAULT '{}',
    elapsed_ms integer NOT NULL,
    rows_read  bigint NOT NULL,
    -- '' when it ran to its end.
    problem    text NOT NULL DEFAULT ''
);
CREATE INDEX sql_history_of ON sql_history (person, id DESC);
