-- Who lives, as each says of itself with its heartbeat. Leases stand at the open attempts (`node_id`, `lease_until`).

CREATE TABLE nodes (
  id TEXT PRIMARY KEY,
  name TEXT NOT NULL,
  role TEXT NOT NULL, -- all | api | caller
  version TEXT NOT NULL,
  started_at INTEGER NOT NULL,
  seen_at INTEGER NOT NULL,
  load TEXT NOT NULL
) STRICT, WITHOUT ROWID;

-- What the carrier's adapter needs to hang up a call whose node died.
ALTER TABLE open_attempts ADD COLUMN dialog TEXT;
