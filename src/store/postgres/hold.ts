// Whether this database is the one it was. One that was restored, copied or promoted dials nobody until a person has
// accepted it: what it has not heard of yet, it would do again.
import type { ClientBase } from 'pg'
import type { HeldWork, HousekeepingStore } from '../housekeeping-store.ts'
import type { Row } from '../rows.ts'
import type { Connection } from './connection.ts'
import { databaseNow } from './database-time.ts'
import { lockWorkspaces } from './locks.ts'
import type { Transaction } from './transaction.ts'

/** A condition, for what must not happen by itself in a store that is held. */
export const notHeld = 'NOT EXISTS (SELECT 1 FROM store_state WHERE held_reason IS NOT NULL)'

type Family = Pick<HousekeepingStore, 'getHold' | 'hold' | 'countHeldWork' | 'liftHold'>

export function holdStatements(connection: Connection): Family {
  return {
    async getHold() {
      const row = await connection.row(
        'SELECT held_reason AS reason, held_since AS since FROM store_state WHERE held_reason IS NOT NULL',
      )
      return row === undefined ? null : { reason: row.reason, since: row.since }
    },

    hold: (reason, since) =>
      connection.write(async tx => {
        await lockEverything(tx)
        await tx.change(
          `INSERT INTO store_state (held_reason, held_since) VALUES ($1, $2)
           ON CONFLICT (id) DO UPDATE SET held_reason = $1, held_since = $2`,
          [reason, since],
        )
        tx.workChanged()
      }),

    async countHeldWork() {
      const row = await connection.row(
        `SELECT count(*) AS batches, coalesce(sum(p.queued + p.calling + p.waiting), 0)::bigint AS people,
           (SELECT count(*) FROM open_attempts WHERE status <> 'claimed') AS calling,
           (SELECT at FROM events ORDER BY id DESC LIMIT 1) AS "lastEventAt"
         FROM batches b JOIN batch_progress p ON p.batch_id = b.id WHERE b.status IN ('running', 'scheduled')`,
      )
      return row as unknown as HeldWork
    },

    liftHold: () =>
      connection.write(async tx => {
        const lifted = await tx.change(
          'UPDATE store_state SET held_reason = NULL, held_since = NULL WHERE held_reason IS NOT NULL',
        )
        tx.workChanged()
        return lifted > 0
      }),
  }
}

/** No claim and no check before a dial is half-way when the hold begins. */
async function lockEverything(tx: Transaction): Promise<void> {
  const rows = await tx.rows('SELECT id FROM workspaces')
  await lockWorkspaces(
    tx,
    rows.map((row: Row) => row.id as number),
  )
}

/**
 * Asked of each new connection: compares cluster, time line and database with those it was used in last. A dump that was
 * restored lies in another database; a base backup that was recovered and a standby that was promoted are on another time
 * line, and either breaks every connection that there was. Without a batch there is nobody to call again. Where the server
 * does not tell, nothing is compared.
 */
export async function recogniseDatabase(client: ClientBase): Promise<void> {
  const { found, known } = await identitiesOf(client)
  if (found === null || found === known) return
  await client.query(
    `INSERT INTO store_state AS s (identity) VALUES ($1) ON CONFLICT (id) DO UPDATE SET
       held_reason = CASE WHEN ${isCopy} THEN 'copy' ELSE s.held_reason END,
       held_since = CASE WHEN ${isCopy} THEN ${databaseNow} ELSE s.held_since END,
       identity = $1`,
    [found],
  )
}

const isCopy = `s.identity <> $1 AND s.held_reason IS NULL AND EXISTS (SELECT 1 FROM batches)`

/** `found` null: this server does not tell (a standby, a service that keeps it to itself). */
async function identitiesOf(client: ClientBase): Promise<{ found: string | null; known: string | null }> {
  try {
    const { rows } = await client.query<{ found: string; known: string | null }>(
      `SELECT concat_ws(':', (SELECT system_identifier FROM pg_control_system()),
         substr(pg_walfile_name(pg_current_wal_insert_lsn()), 1, 8),
         (SELECT oid FROM pg_database WHERE datname = current_database())) AS found,
         (SELECT identity FROM store_state) AS known`,
    )
    return rows[0] ?? { found: null, known: null }
  } catch {
    return { found: null, known: null }
  }
}
