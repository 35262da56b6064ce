-- What limited each key when the job looked at it last: what was taken off since is told by the difference.
CREATE TABLE IF NOT EXISTS {database}.guards
(
    record_key String COMMENT 'Lane of the key',
    guards String COMMENT 'JSON: privileged, scopes, allowed_cidrs, has_budget',
    looked_at DateTime64(3, 'UTC') COMMENT 'When that was so'
)
ENGINE = {replacing_engine:looked_at}
ORDER BY record_key;

-- What providers bill of a key, a day at a time. Filled by imports from their admin interfaces; importing a day again replaces it.
CREATE TABLE IF NOT EXISTS {database}.provider_totals
(
    credential_id String COMMENT 'Registry id of the key',
    provider LowCardinality(String) COMMENT 'Who bills it',
    day Date COMMENT 'UTC day',
    billed_usd Decimal(18, 9) COMMENT 'Total of the day in US dollars',
    imported_at DateTime64(3, 'UTC') DEFAULT now64(3, 'UTC') COMMENT 'When it was read from the provider'
)
ENGINE = {replacing_engine:imported_at}
ORDER BY (credential_id, provider, day);
