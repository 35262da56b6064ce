-- Rules held against stored events with other settings: how far each is, and what came of it. The newest row of an id counts.
CREATE TABLE IF NOT EXISTS {database}.backtests
(
    id String COMMENT 'As it was asked for',
    rule LowCardinality(String) COMMENT 'Rule of the catalogue',
    state LowCardinality(String) COMMENT 'running, done, failed or cancelled',
    request String COMMENT 'JSON: settings tried, settings present, time looked at',
    rows_done UInt64 COMMENT 'Events gone through so far',
    rows_total UInt64 COMMENT 'Events to go through',
    result String COMMENT 'JSON: what was found; empty until it is done',
    problem String COMMENT 'What went wrong; empty when nothing did',
    started_at DateTime64(3, 'UTC') COMMENT 'When a detector took it up',
    updated_at DateTime64(3, 'UTC') COMMENT 'When this was written'
)
ENGINE = {replacing_engine:updated_at}
ORDER BY id
TTL toDateTime(updated_at) + INTERVAL 30 DAY;
