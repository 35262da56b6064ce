-- The ledger: every accepted usage event exactly once.
-- A statement ends with a semicolon at the end of a line. The runner fills in what stands in braces; see migrate.ts.

-- Who may write which partition of the bus; the last claim wins. A row per partition and assignment, merged to the last.
CREATE TABLE IF NOT EXISTS {database}.claims
(
    partition UInt64 COMMENT 'Partition of the usage topic',
    claimant String COMMENT 'Instance and generation that claimed it',
    claimed_at DateTime64(6, 'UTC') COMMENT 'Order of claims: the clock, but always later than the claim before'
)
ENGINE = {replacing_engine:claimed_at}
ORDER BY partition;

-- Reloaded explicitly after every claim (LIFETIME(0)), and read by the ledger's constraint for every row. It reads through
-- argMax because rows that are not merged yet are all there. FLAT answers in nanoseconds; DIRECT costs 40 ms a batch.
CREATE DICTIONARY IF NOT EXISTS {database}.claims_by_partition
(
    partition UInt64,
    claimant String DEFAULT ''
)
PRIMARY KEY partition
SOURCE(CLICKHOUSE({dictionary_credentials}QUERY 'SELECT partition, argMax(claimant, (claimed_at, claimant)) AS claimant FROM {database}.claims GROUP BY partition'))
LAYOUT(FLAT())
LIFETIME(0);

-- One insert is one part: the partition expression has one value per batch, so a batch is all there or not at all.
CREATE TABLE IF NOT EXISTS {database}.ledger
(
{columns},
    -- A paused detector that wakes after its partitions were claimed by another gets error 469 for its whole batch.
    CONSTRAINT one_writer CHECK claimant = dictGet('{database}.claims_by_partition', 'claimant', toUInt64(kafka_partition)),
    -- Newest rows over all lanes: top-k and time bounds skip granules by it. At 10.8 M rows LIMIT 50 reads 0.17 M rows
    -- instead of 10.8 M; an insert pays nothing that can be measured.
    INDEX seen_at_range seen_at TYPE minmax GRANULARITY 1,
    -- Roll-ups live in the same part as their rows, so a crash can't tear them apart (materialized views lose batches).
    -- kafka_partition and max(kafka_offset) are here for the point to resume from: the same as a projection of their own,
    -- which would cost every insert 3 ms more. Costs and how queries must be written to use it: src/ledger/README.md.
    PROJECTION by_lane_hour
    (
        SELECT
            lane,
            toStartOfHour(seen_at),
            standing,
            kafka_partition,
            max(kafka_offset),
            count(),
            sum(cost_usd),
            sum(tokens_input_uncached),
            sum(tokens_cache_read),
            sum(tokens_cache_write),
            sum(tokens_output),
            uniq(session),
            uniq(user),
            uniq(ip),
            min(seen_at),
            max(seen_at)
        GROUP BY lane, toStartOfHour(seen_at), standing, kafka_partition
    )
)
ENGINE = {engine}
PARTITION BY toDate(stored_at)
ORDER BY (lane, seen_at)
-- A batch is one compact part: as a wide one (the default from 10 MiB on) it takes two files a column, and twice the time.
-- A selector base above the default of 5 merges more parts at a time, so a row is rewritten less often: a quarter less CPU a row.
SETTINGS non_replicated_deduplication_window = 1000, min_bytes_for_wide_part = 268435456, merge_selector_base = 10{fsync_settings};

-- Findings by id; the row with most occurrences is the newest state. Read with FINAL.
CREATE TABLE IF NOT EXISTS {database}.findings
(
    id String COMMENT 'Deterministic: rule, lane and dedupe values',
    rule LowCardinality(String) COMMENT 'Rule of the catalogue',
    lane String COMMENT 'Lane it holds on',
    fingerprint String COMMENT 'Fingerprint of the lane, empty for lanes known by hint',
    hint String COMMENT 'Masked display form of the key',
    org String COMMENT 'Organisation last seen on the lane',
    credential_id String COMMENT 'Registry id of the matched credential',
    severity LowCardinality(String) COMMENT 'low, medium, high or critical',
    risk UInt8 COMMENT '21, 47, 73 or 99',
    first_seen DateTime64(3, 'UTC') COMMENT 'First occurrence, event time bounded by receipt',
    last_seen DateTime64(3, 'UTC') COMMENT 'Last occurrence, event time bounded by receipt',
    last_received_at DateTime64(3, 'UTC') COMMENT 'Receipt of the last occurrence',
    occurrences UInt64 COMMENT 'Ledger rows that carry this finding',
    facts String COMMENT 'JSON: what made it fire',
    parameters String COMMENT 'JSON: parameters in force',
    ledger_filter String COMMENT 'JSON: query parameters of /v1/ledger that show the proof'
)
ENGINE = {replacing_engine:occurrences}
ORDER BY id;
