-- Single calls, which are batches of one, and batches that call from several numbers.

ALTER TABLE batches ADD COLUMN kind text NOT NULL DEFAULT 'list'; -- list | call
ALTER TABLE batches ADD COLUMN metadata text;
-- A single call that waits for its retry stays out of what every claim goes through until then.
ALTER TABLE batches ADD COLUMN parked_until bigint;

-- Several caller IDs for one batch, caps by the day, and rest for a number that is flagged.
ALTER TABLE phone_numbers ADD COLUMN max_calls_per_day integer;
ALTER TABLE phone_numbers ADD COLUMN resting_until bigint;
ALTER TABLE phone_numbers ADD COLUMN rest_ms bigint; -- how long that rest was meant to last

-- Only of batches that have several; others call from batches.phone_number_id.
CREATE TABLE batch_callers (
  batch_id bigint NOT NULL,
  phone_number_id bigint NOT NULL,
  PRIMARY KEY (batch_id, phone_number_id)
);

-- Calls placed within the last day from numbers with a cap. Apart from attempts: a batch that is deleted takes those along.
CREATE TABLE caller_calls (
  phone_number_id bigint NOT NULL,
  placed_at bigint NOT NULL,
  attempt_id bigint NOT NULL,
  PRIMARY KEY (phone_number_id, placed_at, attempt_id)
);
