-- How far a partition was read where no row of the ledger says so: its last records were dead letters or duplicates. Without it they
-- would be read, and the dead letters published, anew with every assignment. Fenced like the ledger, and void like its rows
-- once the topic was made anew. The latest row counts; one that is lost only means that those records are read again.
CREATE TABLE IF NOT EXISTS {database}.progress
(
    kafka_partition UInt32 COMMENT 'Partition of the usage topic',
    next_offset UInt64 COMMENT 'Offset of the next record to read: all before it are stored, dropped as duplicates or dead-lettered',
    stored_at DateTime64(3, 'UTC') COMMENT 'When the batch was closed that ends there',
    claimant String COMMENT 'Detector that held the partition',
    CONSTRAINT one_writer CHECK claimant = dictGet('{database}.claims_by_partition', 'claimant', toUInt64(kafka_partition))
)
ENGINE = {replacing_engine:stored_at}
ORDER BY kafka_partition;
