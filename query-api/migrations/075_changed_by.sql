-- Who made a key, or changed it last: it travels with the record, so that what a detector says of a change names them.
ALTER TABLE credentials ADD COLUMN IF NOT EXISTS changed_by text NOT NULL DEFAULT '';
