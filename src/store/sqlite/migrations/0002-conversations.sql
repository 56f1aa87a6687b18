-- What a batch wants of its real calls, and what they leave behind.

ALTER TABLE batches ADD COLUMN record INTEGER NOT NULL DEFAULT 0;
ALTER TABLE batches ADD COLUMN answering_machine TEXT NOT NULL DEFAULT 'off';

-- Apart from attempts, which stay narrow: most calls are never answered and leave nothing.
CREATE TABLE conversations (
  attempt_id INTEGER PRIMARY KEY,
  batch_id INTEGER NOT NULL,
  transcript TEXT NOT NULL,
  results TEXT NOT NULL,
  recording_file TEXT,
  recording_bytes INTEGER,
  line TEXT NOT NULL
) STRICT;
CREATE INDEX conversations_by_batch ON conversations (batch_id);
