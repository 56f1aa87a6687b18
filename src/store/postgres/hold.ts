// Whether this database is the one it was. One that was restored, copied or promoted dials nobody until a person has
// accepted it: what it has not heard of yet, it would do again.
import type { Client } from 'pg'
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
 * Compares cluster, time line and database with those it was opened in last: a dump that was restored lies in another
 * database, a base backup that was recovered and a standby that was promoted are on another time line. One without a
 * batch has nobody to call again. Where the server does not tell, nothing is compared.
 */
export async function recogniseDatabase(client: Client): Promise<void> {
  const identity = await identityOf(client)
  if (identity === null) return
  await client.query(
    `INSERT INTO store_state AS s (identity) VALUES ($1) ON CONFLICT (id) DO UPDATE SET
       held_reason = CASE WHEN ${isCopy} THEN 'copy' ELSE s.held_reason END,
       held_since = CASE WHEN ${isCopy} THEN ${databaseNow} ELSE s.held_since END,
       identity = $1`,
    [identity],
  )
}

const isCopy = `s.identity <> $1 AND s.held_reason IS NULL AND EXISTS (SELECT 1 FROM batches)`

async function identityOf(client: Client): Promise<string | null> {
  try {
    const { rows } = await client.query<{ identity: string }>(
      `SELECT concat_ws(':', system_identifier, timeline_id, d.oid) AS identity
       FROM pg_control_system(), pg_control_checkpoint(), pg_database d WHERE d.datname = current_database()`,
    )
    return rows[0]?.identity ?? null
  } catch {
    return null
  }
}
