-- What the pages sum over windows of days: a group per UTC day, lane, standing then and credential matched then, and the partition of
-- the bus, whose last offset is the point to resume from. All states are exact, so that a sum on a page equals the rows its link
-- opens; uniqExact keeps 16 bytes a value. Standing, credential and partition are nearly constant on a lane and a day, so as keys they
-- cost few groups and answer more questions. The day comes first because parts hold one or two days of it: a window leaves the others
-- unread. How queries must be written to be answered from it: src/ledger/README.md. Parts from before get it in the background:
-- src/ledger/upkeep.
ALTER TABLE {database}.ledger
    ADD PROJECTION IF NOT EXISTS by_lane_day
    (
        SELECT
            toDate(seen_at),
            lane,
            standing,
            credential_id,
            kafka_partition,
            max(kafka_offset),
            count(),
            countIf(standing IN ('revoked', 'expired')),
            sum(cost_usd),
            sum(tokens_input_uncached),
            sum(tokens_cache_read),
            sum(tokens_cache_write),
            sum(tokens_output),
            uniqExactIf(session, session != ''),
            uniqExactIf(user, user != ''),
            uniqExactIf(if(ip != '', ip, host), if(ip != '', ip, host) != ''),
            uniqExactIf(agent, agent != ''),
            uniqExactIf(repo, repo != ''),
            uniqExactIf(model, model != ''),
            min(seen_at),
            max(seen_at),
            any(fingerprint),
            argMaxIf((hint, org), seen_at, hint != ''),
            argMaxIf(org, seen_at, org != ''),
            argMaxIf(if(credential_provider != '', credential_provider, provider), seen_at, credential_provider != '' OR provider != '')
        GROUP BY toDate(seen_at), lane, standing, credential_id, kafka_partition
    ) WITH SETTINGS (index_granularity = 256);
-- How far the roll-up by day is built in parts from before it: one row per piece of work, its last state counts. Pages say by it
-- that older days are still slow.
CREATE TABLE IF NOT EXISTS {database}.upkeep
(
    task String COMMENT 'What is being built, such as by_lane_day',
    rows_total UInt64 COMMENT 'Rows of the ledger when it was last looked at',
    rows_done UInt64 COMMENT 'Of these, rows that have it',
    started_at DateTime64(3, 'UTC') COMMENT 'When it began',
    updated_at DateTime64(3, 'UTC') COMMENT 'When this was written',
    finished_at Nullable(DateTime64(3, 'UTC')) COMMENT 'When the last row had it; null while it is being built'
)
ENGINE = {replacing_engine:updated_at}
ORDER BY task;
