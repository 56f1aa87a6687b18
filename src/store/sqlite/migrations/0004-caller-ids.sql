-- Single calls, which are batches of one.

ALTER TABLE batches ADD COLUMN kind TEXT NOT NULL DEFAULT 'list'; -- list | call
ALTER TABLE batches ADD COLUMN metadata TEXT;
