-- Single calls, which are batches of one.

ALTER TABLE batches ADD COLUMN kind TEXT NOT NULL DEFAULT 'list'; -- list | call
ALTER TABLE batches ADD COLUMN metadata TEXT;
-- A single call that waits for its retry stays out of what every claim goes through until then.
ALTER TABLE batches ADD COLUMN parked_until INTEGER;
CREATE INDEX batches_parked ON batches (parked_until) WHERE parked_until IS NOT NULL;
