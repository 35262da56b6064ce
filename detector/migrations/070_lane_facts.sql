-- What every page about lanes begins with: a row a lane with how it stands now, read from the roll-up once for all that ask within a moment
-- (query-api/src/lanes/facts.ts). Nothing here outlives its reader: the engine keeps the newest rows in memory and lets the oldest go, and
-- who reads counts the rows of a reading, so that one which is not whole any more is made again.
CREATE TABLE IF NOT EXISTS {database}.lane_facts
(
    reading UInt64 COMMENT 'Which reading of the roll-up the row is of',
    lane String COMMENT 'The lane',
    fingerprint String COMMENT 'Its fingerprint, empty for lanes known by hint',
    lane_hint String COMMENT 'Masked display form of the key',
    lane_org String COMMENT 'Organisation, as events name it or the registry',
    lane_provider String COMMENT 'Provider, as events name it or the registry',
    standing LowCardinality(String) COMMENT 'How it stood in the registry when it was read',
    match LowCardinality(String) COMMENT 'How sure that is',
    posture Array(LowCardinality(String)) COMMENT 'Reasons why it needs attention, worst first',
    weak_facts Array(LowCardinality(String)) COMMENT 'Safeguards that its key lacks',
    record_id String COMMENT 'Registry id of the credential that matches, empty without one',
    record_name String COMMENT 'Its name',
    record_kind LowCardinality(String) COMMENT 'managed or registered',
    record_owner String COMMENT 'Who answers for it',
    record_sharing LowCardinality(String) COMMENT 'personal or team',
    record_people_declared UInt32 COMMENT 'For how many people it was declared',
    record_expires_at Nullable(DateTime64(3, 'UTC')) COMMENT 'When it ends',
    record_revoked_at Nullable(DateTime64(3, 'UTC')) COMMENT 'When it was revoked',
    is_attributed UInt8 COMMENT 'Its events name a key',
    is_retired_in_use UInt8 COMMENT 'Revoked or expired, and used since',
    is_refused UInt8 COMMENT 'Unknown, and denied every time',
    is_unknown_in_use UInt8 COMMENT 'Unknown, and not denied every time',
    is_shared UInt8 COMMENT 'Used by several people',
    is_overshared UInt8 COMMENT 'By more than it was declared for',
    is_live UInt8 COMMENT 'Used within half an hour',
    is_weak UInt8 COMMENT 'Weakly governed',
    standing_risk Int32 COMMENT 'Risk of its standing alone',
    risk Int32 COMMENT 'What lanes are sorted by',
    event_count Int64 COMMENT 'Requests in the window',
    retired_count Int64 COMMENT 'Of these, met as revoked or expired',
    user_count UInt64 COMMENT 'People in the window',
    spent Decimal(38, 9) COMMENT 'US dollars in the window',
    first_at DateTime64(3, 'UTC') COMMENT 'First event in the window',
    last_at DateTime64(3, 'UTC') COMMENT 'Last event in the window'
)
ENGINE = Memory SETTINGS max_rows_to_keep = 500000;
