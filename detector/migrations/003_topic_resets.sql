-- Partitions of the usage topic that were made anew: rows stored before do not count for the point to resume from.
CREATE TABLE IF NOT EXISTS {database}.topic_resets
(
    partition UInt64 COMMENT 'Partition of the usage topic',
    reset_at DateTime64(3, 'UTC') COMMENT 'Later than the last row stored of the topic before'
)
ENGINE = {replacing_engine:reset_at}
ORDER BY partition;
