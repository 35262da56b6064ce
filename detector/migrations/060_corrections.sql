-- One request that an agent and a proxy both report counts once: a correction takes a report back as bookkeeping does, by a row of its own
-- with negative tokens, cost and calls. Tokens stay unsigned, because a sum of them wraps around to the right number, and a change of their
-- type would have every row of an older ledger written anew.
ALTER TABLE {database}.ledger
    ADD COLUMN IF NOT EXISTS calls Int8 DEFAULT 1 COMMENT '1, or -1 where a correction takes a report back; sum it to count requests';
ALTER TABLE {database}.ledger
    ADD COLUMN IF NOT EXISTS joins String COMMENT 'On corrections the reports of one request that they join, as JSON; else empty';
-- by_day_and_lane of migration 035 with sums of calls for its counts of rows. A projection can't be altered, so this is another one, and
-- the one before goes once all parts have this (src/ledger/upkeep).
ALTER TABLE {database}.ledger
    ADD PROJECTION IF NOT EXISTS calls_by_day_and_lane
    (
        SELECT
            toDate(seen_at),
            lane,
            standing,
            credential_id,
            kafka_partition,
            max(kafka_offset),
            sum(calls),
            sumIf(calls, standing IN ('revoked', 'expired')),
            sumIf(calls, outcome != 'denied'),
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
            argMaxIf(hint, seen_at, hint != ''),
            argMaxIf(org, seen_at, hint != ''),
            argMaxIf(org, seen_at, org != ''),
            argMaxIf(if(credential_provider != '', credential_provider, provider), seen_at, credential_provider != '' OR provider != '')
        GROUP BY toDate(seen_at), lane, standing, credential_id, kafka_partition
    ) WITH SETTINGS (index_granularity = 256);
