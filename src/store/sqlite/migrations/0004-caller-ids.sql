-- Single calls, which are batches of one, and batches that call from several numbers.

ALTER TABLE batches ADD COLUMN kind TEXT NOT NULL DEFAULT 'list'; -- list | call
ALTER TABLE batches ADD COLUMN metadata TEXT;
-- A single call that waits for its retry stays out of what every claim goes through until then.
ALTER TABLE batches ADD COLUMN parked_until INTEGER;
CREATE INDEX batches_parked ON batches (parked_until) WHERE parked_until IS NOT NULL;

-- Several caller IDs for one batch, caps by the day, and rest for a number that is flagged.
ALTER TABLE phone_numbers ADD COLUMN max_calls_per_day INTEGER;
ALTER TABLE phone_numbers ADD COLUMN resting_until INTEGER;
ALTER TABLE phone_numbers ADD COLUMN rest_ms INTEGER; -- how long that rest was meant to last

-- Only of batches that have several; others call from batches.phone_number_id.
CREATE TABLE batch_callers (
  batch_id INTEGER NOT NULL,
  phone_number_id INTEGER NOT NULL,
  PRIMARY KEY (batch_id, phone_number_id)
) STRICT, WITHOUT ROWID;

-- Calls placed within the last day from numbers with a cap. Apart from attempts: a batch that is deleted takes those along.
CREATE TABLE caller_calls (
  phone_number_id INTEGER NOT NULL,
  placed_at INTEGER NOT NULL,
  attempt_id INTEGER NOT NULL,
  PRIMARY KEY (phone_number_id, placed_at, attempt_id)
) STRICT, WITHOUT ROWID;
