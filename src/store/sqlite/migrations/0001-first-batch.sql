-- Times are epoch milliseconds, JSON is text, booleans are 0/1.

CREATE TABLE workspaces (
  id INTEGER PRIMARY KEY,
  name TEXT NOT NULL,
  default_region TEXT,
  destinations TEXT,
  max_concurrent_calls INTEGER NOT NULL,
  credit_millicents INTEGER,
  calling_window TEXT,
  stopped INTEGER NOT NULL DEFAULT 0,
  created_at INTEGER NOT NULL,
  updated_at INTEGER NOT NULL
) STRICT;

CREATE TABLE api_keys (
  id INTEGER PRIMARY KEY,
  workspace_id INTEGER NOT NULL REFERENCES workspaces (id),
  name TEXT NOT NULL,
  prefix TEXT NOT NULL,
  hash BLOB NOT NULL UNIQUE,
  created_at INTEGER NOT NULL
) STRICT;

CREATE TABLE agents (
  id INTEGER PRIMARY KEY,
  workspace_id INTEGER NOT NULL REFERENCES workspaces (id),
  name TEXT NOT NULL,
  architecture TEXT NOT NULL,
  prompt TEXT,
  first_message TEXT,
  connection TEXT,
  max_concurrent_calls INTEGER,
  breaker_until INTEGER,
  created_at INTEGER NOT NULL
) STRICT;
CREATE INDEX agents_by_workspace ON agents (workspace_id);

CREATE TABLE trunks (
  id INTEGER PRIMARY KEY,
  workspace_id INTEGER NOT NULL REFERENCES workspaces (id),
  name TEXT NOT NULL,
  kind TEXT NOT NULL,
  max_concurrent_calls INTEGER,
  calls_per_second REAL,
  slowed_calls_per_second REAL,
  next_slot_at REAL NOT NULL DEFAULT 0, -- GCRA: the earliest instant of the next new call
  settings TEXT NOT NULL,
  breaker_until INTEGER,
  breaker_reason TEXT,
  created_at INTEGER NOT NULL
) STRICT;
CREATE INDEX trunks_by_workspace ON trunks (workspace_id);

CREATE TABLE phone_numbers (
  id INTEGER PRIMARY KEY,
  workspace_id INTEGER NOT NULL REFERENCES workspaces (id),
  e164 TEXT NOT NULL,
  trunk_id INTEGER NOT NULL REFERENCES trunks (id),
  agent_id INTEGER REFERENCES agents (id),
  max_concurrent_calls INTEGER,
  created_at INTEGER NOT NULL,
  UNIQUE (workspace_id, e164)
) STRICT;

-- Ids that a thing had at a vendor. Ids and aliases share one namespace in a workspace.
CREATE TABLE aliases (
  workspace_id INTEGER NOT NULL,
  alias TEXT NOT NULL,
  kind TEXT NOT NULL, -- agent | phone-number
  target_id INTEGER NOT NULL,
  PRIMARY KEY (workspace_id, alias)
) STRICT, WITHOUT ROWID;
CREATE INDEX aliases_by_target ON aliases (kind, target_id);

CREATE TABLE suppressions (
  workspace_id INTEGER NOT NULL,
  number TEXT NOT NULL,
  reason TEXT NOT NULL,
  created_at INTEGER NOT NULL,
  PRIMARY KEY (workspace_id, number)
) STRICT, WITHOUT ROWID;

CREATE TABLE idempotency_keys (
  workspace_id INTEGER NOT NULL,
  key TEXT NOT NULL,
  fingerprint TEXT NOT NULL,
  status INTEGER, -- null while the first request is under way
  body TEXT,
  created_at INTEGER NOT NULL,
  PRIMARY KEY (workspace_id, key)
) STRICT, WITHOUT ROWID;

CREATE TABLE batches (
  id INTEGER PRIMARY KEY AUTOINCREMENT, -- a deleted batch's id is never another's: clients still hold it
  workspace_id INTEGER NOT NULL REFERENCES workspaces (id),
  agent_id INTEGER NOT NULL REFERENCES agents (id),
  phone_number_id INTEGER NOT NULL REFERENCES phone_numbers (id),
  trunk_id INTEGER NOT NULL REFERENCES trunks (id),
  name TEXT NOT NULL,
  description TEXT,
  dialect TEXT NOT NULL,
  sent_agent_id TEXT NOT NULL,
  sent_phone_number_id TEXT,
  status TEXT NOT NULL,
  status_reason TEXT,
  open INTEGER NOT NULL,
  start_as TEXT NOT NULL,
  timezone TEXT NOT NULL,
  scheduled_at INTEGER,
  max_concurrent_calls INTEGER,
  calls_per_second REAL,
  next_slot_at REAL NOT NULL DEFAULT 0,
  retry TEXT NOT NULL,
  calling_window TEXT,
  ring_timeout_ms INTEGER NOT NULL,
  max_call_ms INTEGER NOT NULL,
  content_hash TEXT NOT NULL,
  created_at INTEGER NOT NULL,
  started_at INTEGER,
  completed_at INTEGER,
  updated_at INTEGER NOT NULL,
  rows INTEGER NOT NULL DEFAULT 0,
  accepted INTEGER NOT NULL DEFAULT 0,
  invalid INTEGER NOT NULL DEFAULT 0,
  duplicate INTEGER NOT NULL DEFAULT 0,
  suppressed INTEGER NOT NULL DEFAULT 0
) STRICT;
CREATE INDEX batches_by_workspace ON batches (workspace_id, status);
CREATE INDEX batches_live ON batches (status) WHERE status IN ('importing', 'scheduled', 'running', 'cancelled');

-- What changes with every call stands apart from what does not.
CREATE TABLE batch_progress (
  batch_id INTEGER PRIMARY KEY REFERENCES batches (id),
  queued INTEGER NOT NULL DEFAULT 0,
  calling INTEGER NOT NULL DEFAULT 0,
  waiting INTEGER NOT NULL DEFAULT 0,
  answered INTEGER NOT NULL DEFAULT 0,
  voicemail INTEGER NOT NULL DEFAULT 0,
  busy INTEGER NOT NULL DEFAULT 0,
  no_answer INTEGER NOT NULL DEFAULT 0,
  timeout INTEGER NOT NULL DEFAULT 0,
  declined INTEGER NOT NULL DEFAULT 0,
  unreachable INTEGER NOT NULL DEFAULT 0,
  blocked INTEGER NOT NULL DEFAULT 0,
  carrier_failure INTEGER NOT NULL DEFAULT 0,
  agent_failure INTEGER NOT NULL DEFAULT 0,
  lost INTEGER NOT NULL DEFAULT 0,
  cancelled INTEGER NOT NULL DEFAULT 0,
  suppressed INTEGER NOT NULL DEFAULT 0,
  talk_ms INTEGER NOT NULL DEFAULT 0,
  attempts INTEGER NOT NULL DEFAULT 0,
  ended_attempts INTEGER NOT NULL DEFAULT 0,
  failed_attempts INTEGER NOT NULL DEFAULT 0,
  cost_millicents INTEGER NOT NULL DEFAULT 0
) STRICT;

-- The zones that a batch's recipients have: a claim asks only for those whose window is open.
CREATE TABLE batch_zones (
  batch_id INTEGER NOT NULL,
  zone TEXT NOT NULL,
  PRIMARY KEY (batch_id, zone)
) STRICT, WITHOUT ROWID;

-- id = batch id · 10^7 + position (1, 2, … without gaps): a batch's rows lie together, and pages need no index of their own.
CREATE TABLE recipients (
  id INTEGER PRIMARY KEY,
  batch_id INTEGER NOT NULL,
  row_number INTEGER NOT NULL,
  standing TEXT NOT NULL,
  attempts INTEGER NOT NULL DEFAULT 0,
  due_at INTEGER,
  put_backs INTEGER NOT NULL DEFAULT 0,
  first_put_back_at INTEGER,
  finished_at INTEGER,
  last_attempt_id INTEGER,
  number TEXT NOT NULL,
  zone TEXT NOT NULL,
  variables TEXT NOT NULL
) STRICT;
-- One person stands once in a batch, whatever the file or a later addition says.
CREATE UNIQUE INDEX recipients_by_number ON recipients (batch_id, number);
-- Two partial indexes instead of one over all standings: a call then costs one deletion and one insertion of an index
-- entry, not six.
CREATE INDEX recipients_due ON recipients (batch_id, standing, zone, due_at) WHERE due_at IS NOT NULL;
CREATE INDEX recipients_finished ON recipients (batch_id, standing) WHERE finished_at IS NOT NULL;

CREATE TABLE rejected_rows (
  batch_id INTEGER NOT NULL,
  row_number INTEGER NOT NULL,
  status TEXT NOT NULL,
  code TEXT NOT NULL,
  value TEXT
) STRICT;
CREATE INDEX rejected_rows_by_batch ON rejected_rows (batch_id, row_number);

-- Open attempts only, so that concurrency is counted from what is really open and the count stays small.
CREATE TABLE open_attempts (
  id INTEGER PRIMARY KEY,
  workspace_id INTEGER NOT NULL,
  number TEXT NOT NULL,
  batch_id INTEGER NOT NULL,
  recipient_id INTEGER NOT NULL,
  trunk_id INTEGER NOT NULL,
  phone_number_id INTEGER NOT NULL,
  agent_id INTEGER NOT NULL,
  zone TEXT NOT NULL,
  ordinal INTEGER NOT NULL,
  status TEXT NOT NULL, -- claimed | dialing | ringing | answered
  node_id TEXT NOT NULL,
  lease_until INTEGER NOT NULL,
  slot_at REAL NOT NULL,
  call_id TEXT,
  dialed_at INTEGER,
  answered_at INTEGER,
  UNIQUE (workspace_id, number) -- never two calls to one person at once, whatever the batch
) STRICT;

-- Ended attempts, append only.
CREATE TABLE attempts (
  id INTEGER PRIMARY KEY,
  workspace_id INTEGER NOT NULL,
  batch_id INTEGER NOT NULL,
  recipient_id INTEGER NOT NULL,
  trunk_id INTEGER NOT NULL,
  phone_number_id INTEGER NOT NULL,
  ordinal INTEGER NOT NULL,
  call_id TEXT NOT NULL,
  dialed_at INTEGER NOT NULL,
  answered_at INTEGER,
  ended_at INTEGER NOT NULL,
  disposition TEXT NOT NULL,
  cause TEXT NOT NULL,
  sip_status INTEGER,
  q850 INTEGER,
  fault TEXT NOT NULL,
  retryable INTEGER NOT NULL,
  cost_millicents INTEGER NOT NULL
) STRICT;
CREATE INDEX attempts_by_batch ON attempts (batch_id);

CREATE TABLE events (
  id INTEGER PRIMARY KEY,
  workspace_id INTEGER NOT NULL,
  batch_id INTEGER,
  type TEXT NOT NULL,
  at INTEGER NOT NULL,
  data TEXT NOT NULL
) STRICT;
