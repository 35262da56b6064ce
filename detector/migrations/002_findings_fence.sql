-- Findings are fenced like the ledger: a detector that was paused between its insert and its findings, and wakes after another
-- claimed the partition, gets error 469 instead of overwriting a newer state with as many occurrences.
ALTER TABLE {database}.findings
    ADD COLUMN IF NOT EXISTS kafka_partition UInt32 COMMENT 'Partition of the bus that its lane is read from';

ALTER TABLE {database}.findings
    ADD COLUMN IF NOT EXISTS claimant String COMMENT 'Detector that held the partition';

ALTER TABLE {database}.findings
    ADD CONSTRAINT IF NOT EXISTS one_writer CHECK claimant = dictGet('{database}.claims_by_partition', 'claimant', toUInt64(kafka_partition));
