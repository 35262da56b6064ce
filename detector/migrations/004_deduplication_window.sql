-- Tokens remembered, for the whole table and so for all detectors together. A batch is looked up before it is sent again, so a token
-- has to outlast one attempt only: this is enough for 500 inserts a second that take 20 seconds each.
ALTER TABLE {database}.ledger
    MODIFY SETTING non_replicated_deduplication_window = 10000;
