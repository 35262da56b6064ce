-- by_lane_day of migration 006 with what tells a key in use from one that was refused every time: how many events were not denied. A
-- projection can't be altered, so this is another one, and the first goes once all parts have this (src/ledger/upkeep). Hint and org
-- of the newest event that names both are two states instead of one of a tuple, which the engine keeps as boxed values: both take
-- the same row, because they compare the same rows in the same order.
ALTER TABLE {database}.ledger
    ADD PROJECTION IF NOT EXISTS by_day_and_lane
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
            countIf(outcome != 'denied'),
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
