-- What is kept for how long, who may no longer enter, who did what, and whether this store is the one it was.

ALTER TABLE workspaces ADD COLUMN retention TEXT; -- null: the defaults
ALTER TABLE api_keys ADD COLUMN revoked_at INTEGER;

-- One row. A store that is held dials nobody until a person has accepted it.
CREATE TABLE store_state (
  id INTEGER PRIMARY KEY CHECK (id = 1),
  identity TEXT, -- of the file that it was last opened in
  held_reason TEXT, -- backup | copy | move
  held_since INTEGER
) STRICT;
INSERT INTO store_state (id) VALUES (1);

CREATE TABLE audit_log (
  id INTEGER PRIMARY KEY,
  workspace_id INTEGER NOT NULL,
  at INTEGER NOT NULL,
  api_key_id INTEGER,
  api_key_prefix TEXT,
  action TEXT NOT NULL,
  subject TEXT
) STRICT;
CREATE INDEX audit_log_by_workspace ON audit_log (workspace_id, id);
CREATE TRIGGER audit_log_is_never_changed BEFORE UPDATE ON audit_log
  BEGIN SELECT raise(ABORT, 'the audit log is only added to'); END;
CREATE TRIGGER audit_log_is_never_shortened BEFORE DELETE ON audit_log
  BEGIN SELECT raise(ABORT, 'the audit log is only added to'); END;
