// Whether this store is the one it was. One that came out of a backup or was copied dials nobody until a person has
// accepted it: what it has not heard of yet, it would do again.
import { statSync } from 'node:fs'
import type { DatabaseSync } from 'node:sqlite'
import type { HeldWork, HoldReason, HousekeepingStore } from '../housekeeping-store.ts'
import type { Row } from '../rows.ts'
import type { Connection } from './connection.ts'

export function holdStatements(
  connection: Connection,
): Pick<HousekeepingStore, 'getHold' | 'hold' | 'countHeldWork' | 'liftHold'> {
  const state = connection.prepare('SELECT held_reason AS reason, held_since AS since FROM store_state')
  const lift = connection.prepare(
    'UPDATE store_state SET held_reason = NULL, held_since = NULL WHERE held_reason IS NOT NULL',
  )
  return {
    async getHold() {
      const { reason, since } = state.get() as Row
      return reason === null ? null : { reason, since }
    },

    hold: (reason, since) =>
      connection.write(() => {
        holdDatabase(connection.db, reason, since)
        connection.workChanged()
      }),

    countHeldWork: async () => heldWorkOf(connection.db),

    liftHold: () =>
      connection.write(() => {
        const { changes } = lift.run()
        connection.workChanged()
        return changes > 0
      }),
  }
}

export function heldWorkOf(db: DatabaseSync): HeldWork {
  const row = db
    .prepare(
      `SELECT count(*) AS batches, coalesce(sum(p.queued + p.calling + p.waiting), 0) AS people,
         (SELECT count(*) FROM open_attempts WHERE status <> 'claimed') AS calling,
         (SELECT at FROM events ORDER BY id DESC LIMIT 1) AS lastEventAt
       FROM batches b JOIN batch_progress p ON p.batch_id = b.id WHERE b.status IN ('running', 'scheduled')`,
    )
    .get()
  return { ...(row as unknown as HeldWork) }
}

/** From now on whoever opens this database finds it held, wherever it lies. */
export function holdDatabase(db: DatabaseSync, reason: HoldReason, since: number): void {
  db.prepare('UPDATE store_state SET identity = NULL, held_reason = ?, held_since = ?').run(reason, since)
}

/**
 * Compares the file with the one that was opened last. A copy has another inode and another birth; a file system that
 * makes up one of them anew at each start, or keeps no births, must not stop anybody from calling, so both have to
 * differ. What no file tells (a disk or a whole machine set back to a snapshot) is not noticed.
 */
export function recogniseFile(db: DatabaseSync, path: string, now: number): void {
  const { identity, held_reason: held } = db
    .prepare('SELECT identity, held_reason FROM store_state')
    .get() as Row
  const { ino, birthtimeNs } = statSync(path, { bigint: true })
  const found = `${ino}:${birthtimeNs}`
  if (found === identity) return
  // Without a batch there is nobody to call again.
  const mayCall = db.prepare('SELECT 1 FROM batches LIMIT 1').get() !== undefined
  if (identity !== null && held === null && mayCall) {
    const [knownInode, knownBirth] = (identity as string).split(':')
    if (knownInode !== String(ino) && knownBirth !== String(birthtimeNs)) holdDatabase(db, 'copy', now)
  }
  db.prepare('UPDATE store_state SET identity = ?').run(found)
}
