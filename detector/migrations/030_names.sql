-- Names have one canonical form from here on, and a row says who reports its request. Rows stored before keep their names as they were
-- sent, so the time at which this migration was applied is when names became canonical.
ALTER TABLE {database}.ledger
    ADD COLUMN IF NOT EXISTS served_by LowCardinality(String) COMMENT 'Where the request was served when not by the provider itself, such as bedrock';

ALTER TABLE {database}.ledger
    ADD COLUMN IF NOT EXISTS reporter LowCardinality(String) COMMENT 'Who reports the request: agent, sdk, proxy or import';

ALTER TABLE {database}.ledger
    ADD COLUMN IF NOT EXISTS sent_as LowCardinality(String) COMMENT 'Names as they were sent, as JSON by column, where the canonical one differs';
