-- The SIP messages of single calls, where the trunk or the batch keeps them.

ALTER TABLE batches ADD COLUMN trace INTEGER NOT NULL DEFAULT 0;

-- A call that was put back has no row in attempts, and its trace is the one that is wanted. `id` counts what was kept.
CREATE TABLE traces (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  attempt_id INTEGER NOT NULL UNIQUE,
  workspace_id INTEGER NOT NULL,
  batch_id INTEGER NOT NULL,
  trace TEXT NOT NULL
) STRICT;
CREATE INDEX traces_by_batch ON traces (batch_id);
