-- What an event proved when it came, and what was learned of its lane: in the row itself, so that both are there exactly when it is.
ALTER TABLE {database}.ledger
    ADD COLUMN IF NOT EXISTS evidence Array(LowCardinality(String)) COMMENT 'What the event proved of its findings when it came: finding id and JSON';

ALTER TABLE {database}.ledger
    ADD COLUMN IF NOT EXISTS lane_profile String COMMENT 'What was learned of the lane up to this row, on one row of many, for the detector alone';
