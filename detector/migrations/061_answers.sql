-- What an answer tells beside its use: its own id, by which reports of one request are joined where none has the provider's request id, and the
-- limits of the key. Limits are JSON in one column, because most rows have none; the view of analysts has them apart.
ALTER TABLE {database}.ledger
    ADD COLUMN IF NOT EXISTS response_id String COMMENT 'Id of the answer, such as msg_… or chatcmpl-…; joins reports';
ALTER TABLE {database}.ledger
    ADD COLUMN IF NOT EXISTS rate_limits String COMMENT 'Limits of the key as the answer told them, as JSON: requests, tokens, … with limit, remaining, reset_at';
