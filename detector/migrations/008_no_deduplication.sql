-- Nothing goes by tokens any more. The engine notes a token before it renames the part into place: killed between the two, it knows a
-- token whose rows do not exist, and drops what is sent again as its repeat. Whether a batch is there is asked of its rows.
ALTER TABLE {database}.ledger
    MODIFY SETTING non_replicated_deduplication_window = 0;
