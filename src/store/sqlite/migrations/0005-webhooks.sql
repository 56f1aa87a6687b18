-- Who is told of what happens, how far in the outbox, and what became of each telling.

CREATE TABLE webhook_endpoints (
  id INTEGER PRIMARY KEY AUTOINCREMENT, -- what a deleted endpoint left behind is never another's
  workspace_id INTEGER NOT NULL REFERENCES workspaces (id),
  url TEXT NOT NULL,
  format TEXT NOT NULL,
  events TEXT, -- names in the format's words; null: all
  agent_id INTEGER,
  batch_id INTEGER,
  description TEXT,
  secret TEXT NOT NULL,
  previous_secret TEXT,
  previous_secret_until INTEGER,
  wants_answers INTEGER NOT NULL,
  enabled INTEGER NOT NULL,
  disabled_reason TEXT,
  created_at INTEGER NOT NULL,
  updated_at INTEGER NOT NULL
) STRICT;
CREATE INDEX webhook_endpoints_by_workspace ON webhook_endpoints (workspace_id);
CREATE INDEX webhook_endpoints_for_answers ON webhook_endpoints (workspace_id) WHERE wants_answers = 1 AND enabled = 1;

-- What changes with every delivery stands apart from what does not.
CREATE TABLE webhook_progress (
  endpoint_id INTEGER PRIMARY KEY,
  position INTEGER NOT NULL, -- events up to this id have become deliveries, or concern somebody else
  waiting INTEGER NOT NULL DEFAULT 0,
  failing_since INTEGER,
  last_delivered_at INTEGER
) STRICT;

CREATE TABLE webhook_deliveries (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  endpoint_id INTEGER NOT NULL,
  batch_id INTEGER NOT NULL, -- 0: of no batch
  event_id INTEGER NOT NULL,
  event_at INTEGER NOT NULL,
  name TEXT NOT NULL,
  status TEXT NOT NULL, -- waiting | delivered | failed | skipped
  overtaken INTEGER NOT NULL, -- later ones of its batch do not wait for it
  due_at INTEGER,
  tries TEXT NOT NULL, -- JSON: each with its instant, status, duration, error and the first of the answer
  redelivery_of INTEGER,
  created_at INTEGER NOT NULL,
  finished_at INTEGER
) STRICT;
CREATE INDEX webhook_deliveries_in_order ON webhook_deliveries (endpoint_id, batch_id, id) WHERE status = 'waiting' AND overtaken = 0;
CREATE INDEX webhook_deliveries_overtaken ON webhook_deliveries (endpoint_id, batch_id, due_at) WHERE status = 'waiting' AND overtaken = 1;
CREATE INDEX webhook_deliveries_log ON webhook_deliveries (endpoint_id, id);
CREATE INDEX webhook_deliveries_failed ON webhook_deliveries (endpoint_id, id) WHERE status = 'failed';
CREATE INDEX webhook_deliveries_finished ON webhook_deliveries (finished_at) WHERE finished_at IS NOT NULL;

-- One row for each endpoint and batch with something to deliver. Who holds its lease delivers, one at a time.
CREATE TABLE webhook_lanes (
  endpoint_id INTEGER NOT NULL,
  batch_id INTEGER NOT NULL,
  due_at INTEGER NOT NULL,
  node_id TEXT,
  lease_until INTEGER NOT NULL DEFAULT 0,
  PRIMARY KEY (endpoint_id, batch_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX webhook_lanes_due ON webhook_lanes (endpoint_id, due_at);
CREATE INDEX webhook_lanes_leased ON webhook_lanes (endpoint_id, lease_until) WHERE lease_until > 0;
