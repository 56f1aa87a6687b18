// The outbox: events in order of their ids, none passed over, whatever order their transactions commit in.
//
// Ids are given out in one order and committed in another, so that whoever reads on from the last id seen would pass over
// one that is committed late. So who is about to write events says so first: a shared advisory lock, which others see at
// once, names the last id given out until then; all of its own will be above it. Reading goes up to the lowest id so
// named. Who names none yet gets ids above all that are given out now. Events of one batch are written under its lock, so
// that their order is the order in which things happened.
//
// The usual way, to read what was written by transactions below the oldest one under way (`pg_snapshot_xmin`), does not
// hold: an old transaction may write late, and be read before a lower id that a younger one has not committed yet. It
// also waits for every transaction of the whole cluster, other people's included.
import type { EventType, OutboxEvent } from '../../domain/event.ts'
import { toEvent } from '../rows.ts'
import { columns } from './columns.ts'
import type { Reader } from './transaction.ts'

/** The class of these advisory locks: 'outb' in ASCII. */
export const outboxLock = 0x6f757462
/** Their key is the id modulo 2^31. */
const keyMask = 0x7fffffff

export interface NewEvent {
  workspaceId: number
  batchId: number | null
  type: EventType
  at: number
  dataJson: string
}

/** The lock is taken before the ids: two statements, which travel together. It never waits, since nobody takes it alone. */
export function writeEvents(tx: Reader, events: readonly NewEvent[]): Promise<unknown> {
  return Promise.all([
    tx.rows(
      `SELECT pg_advisory_xact_lock_shared($1, ((last_value - 1) & ${keyMask})::integer) FROM event_ids`,
      [outboxLock],
    ),
    tx.rows(
      `INSERT INTO events (id, workspace_id, batch_id, type, at, data)
       SELECT nextval('event_ids'), e.workspace_id, e.batch_id, e.type, e.at, e.data
       FROM (SELECT * FROM unnest($1::bigint[], $2::bigint[], $3::text[], $4::bigint[], $5::text[]) WITH ORDINALITY
         AS e (workspace_id, batch_id, type, at, data, position) ORDER BY position) e`,
      [
        events.map(event => event.workspaceId),
        events.map(event => event.batchId),
        events.map(event => event.type),
        events.map(event => event.at),
        events.map(event => event.dataJson),
      ],
    ),
  ])
}

/** `isCut`: more are committed already, and may be read in a moment. */
export async function readEvents(
  reader: Reader,
  workspaceId: number | null,
  after: number,
  limit: number,
): Promise<{ events: OutboxEvent[]; isCut: boolean }> {
  const settled = await lastSettled(reader)
  // In a snapshot that is younger than the look at the locks: whoever held none by then is committed, or above.
  const rows = await reader.rows(
    `SELECT ${columns('events')} FROM events WHERE id > $1 AND ($2::bigint IS NULL OR workspace_id = $2)
     ORDER BY id LIMIT $3`,
    [after, workspaceId, limit],
  )
  const events = rows.filter(row => row.id <= settled).map(toEvent)
  return { events, isCut: events.length < rows.length }
}

/** Up to this id every event is committed, or never will be. */
export async function lastSettled(reader: Reader): Promise<number> {
  const given = await reader.row('SELECT last_value AS id FROM event_ids')
  const lowest = await reader.row(
    `SELECT min($2::bigint - (($2::bigint - objid::bigint) & ${keyMask})) AS id FROM pg_locks
     WHERE locktype = 'advisory' AND classid = $1::oid AND objsubid = 2
       AND database = (SELECT oid FROM pg_database WHERE datname = current_database())`,
    [outboxLock, given?.id],
  )
  return lowest?.id ?? given?.id
}
