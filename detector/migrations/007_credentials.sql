-- The registry as SQL sees it: the newest record of every key, copied from the credentials topic. Copying again changes nothing, so
-- whoever has a record may write it; of two versions the higher one counts, of equal ones the last written. Read it with FINAL.
CREATE TABLE IF NOT EXISTS {database}.credentials
(
    record_key String COMMENT 'Lane that the record is for: its fingerprint, or hint_… of a key registered by hint and org',
    id String COMMENT 'Registry id',
    fingerprint String COMMENT 'SHA-256 of the key, empty when it was registered by hint and org alone',
    hint String COMMENT 'Masked display form, in the one spelling that events have',
    name String COMMENT 'What people call it',
    kind LowCardinality(String) COMMENT 'managed or registered',
    provider LowCardinality(String) COMMENT 'Who issued it',
    org String COMMENT 'Organisation it belongs to',
    project String COMMENT 'Project it belongs to',
    owner String COMMENT 'Person or service account that answers for it',
    owner_kind LowCardinality(String) COMMENT 'person, service_account or empty',
    team String COMMENT 'Team of the owner',
    module String COMMENT 'Part of the organisation’s product that uses it',
    environment LowCardinality(String) COMMENT 'development, sandbox, staging, production or empty',
    scopes String COMMENT 'JSON: what it may do to which resources',
    allowed_cidrs Array(String) COMMENT 'Networks it may be used from; empty means any',
    expected_agents Array(String) COMMENT 'Programs that are expected to use it',
    expected_repos Array(String) COMMENT 'Repositories it is expected in',
    sharing LowCardinality(String) COMMENT 'personal or team',
    people_declared UInt32 COMMENT 'How many people a team key was declared for',
    created_at DateTime64(3, 'UTC') COMMENT 'When it was registered or issued',
    expires_at Nullable(DateTime64(3, 'UTC')) COMMENT 'When it expires; null for never',
    revoked_at Nullable(DateTime64(3, 'UTC')) COMMENT 'When it was revoked; null when it was not',
    grace_ends_at Nullable(DateTime64(3, 'UTC')) COMMENT 'Until when a secret that was rotated out still counts as known',
    revoked_from Nullable(DateTime64(3, 'UTC')) COMMENT 'From when use counts as revoked, grace included; null for never',
    expired_from Nullable(DateTime64(3, 'UTC')) COMMENT 'From when use counts as expired; null for never',
    version UInt32 COMMENT 'Grows with every change',
    is_removed UInt8 COMMENT '1: the topic has this record no more',
    written_at DateTime64(3, 'UTC') DEFAULT now64(3, 'UTC') COMMENT 'When it was copied here',
    status String ALIAS multiIf(revoked_from <= now64(3, 'UTC'), 'revoked', expired_from <= now64(3, 'UTC'), 'expired', 'active') COMMENT 'active, expired or revoked, now'
)
ENGINE = {replacing_engine:version}
ORDER BY record_key;

-- The same by key, in memory: standing now, owner, expiry and posture of a lane without a join. Written to, it is reloaded at once; a
-- replica that nobody told looks for itself every few seconds.
CREATE DICTIONARY IF NOT EXISTS {database}.credentials_by_key
(
    record_key String,
    id String DEFAULT '',
    hint String DEFAULT '',
    name String DEFAULT '',
    kind String DEFAULT '',
    provider String DEFAULT '',
    org String DEFAULT '',
    project String DEFAULT '',
    owner String DEFAULT '',
    owner_kind String DEFAULT '',
    team String DEFAULT '',
    environment String DEFAULT '',
    sharing String DEFAULT '',
    people_declared UInt32 DEFAULT 0,
    created_at Nullable(DateTime64(3, 'UTC')),
    expires_at Nullable(DateTime64(3, 'UTC')),
    revoked_at Nullable(DateTime64(3, 'UTC')),
    revoked_from Nullable(DateTime64(3, 'UTC')),
    expired_from Nullable(DateTime64(3, 'UTC')),
    any_network UInt8 DEFAULT 0,
    wide_scope UInt8 DEFAULT 0,
    version UInt32 DEFAULT 0
)
PRIMARY KEY record_key
SOURCE(CLICKHOUSE({dictionary_credentials}QUERY 'SELECT record_key, id, hint, name, kind, provider, org, project, owner, owner_kind, team, environment, sharing, people_declared, created_at, expires_at, revoked_at, revoked_from, expired_from, empty(allowed_cidrs) OR arrayExists(cidr -> endsWith(cidr, ''/0''), allowed_cidrs) AS any_network, arrayExists(scope -> JSONExtractString(scope, ''action'') IN (''*'', ''admin''), JSONExtractArrayRaw(scopes)) AS wide_scope, version FROM {database}.credentials FINAL WHERE NOT is_removed' INVALIDATE_QUERY 'SELECT count(), max(written_at) FROM {database}.credentials'))
LAYOUT(COMPLEX_KEY_HASHED_ARRAY())
LIFETIME(MIN 3 MAX 6);

-- Which records share a hint, for events that name their key by it: a hint with its org is probable when one record fits.
CREATE DICTIONARY IF NOT EXISTS {database}.credentials_by_hint
(
    hint String,
    record_keys Array(String),
    orgs Array(String),
    has_fingerprint Array(UInt8)
)
PRIMARY KEY hint
SOURCE(CLICKHOUSE({dictionary_credentials}QUERY 'SELECT hint, groupArray(record_key) AS record_keys, groupArray(org) AS orgs, groupArray(toUInt8(fingerprint != '''')) AS has_fingerprint FROM {database}.credentials FINAL WHERE NOT is_removed AND hint != '''' GROUP BY hint' INVALIDATE_QUERY 'SELECT count(), max(written_at) FROM {database}.credentials'))
LAYOUT(COMPLEX_KEY_HASHED_ARRAY())
LIFETIME(MIN 3 MAX 6);
