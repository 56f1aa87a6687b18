// What dead nodes left half done is cleared up; what live ones are doing is left alone.
import type { Store } from '../store.ts'
import type { Connection } from './connection.ts'
import { databaseNow } from './database-time.ts'
import { discardRows } from './discard-rows.ts'
import { dropQueue } from './drop-queue.ts'
import { sweepKeys } from './idempotency.ts'
import { lockBatch } from './locks.ts'

/** After how long without a sign of life something is taken for dead, by the database's clock. */
export interface OrphanRules {
  /** An import shows one with each chunk of rows. */
  importAfterMs: number
  /** A request with an Idempotency-Key shows none, so this is longer than the longest upload and import together. */
  reservationAfterMs: number
}

export function sweepStatements(connection: Connection, orphans: OrphanRules): Pick<Store, 'sweep'> {
  return {
    async sweep(now) {
      const candidates = await connection.rows(
        `SELECT id FROM batches WHERE status = 'importing' AND ${isOrphaned} ORDER BY id`,
        [orphans.importAfterMs],
      )
      let swept = 0
      for (const { id } of candidates) {
        if (!(await takeOver(id))) continue
        await discardRows(connection, id)
        swept++
      }
      await finishCancels(now)
      await connection.write(tx => sweepKeys(tx, now, orphans.reservationAfterMs))
      return swept
    },
  }

  /** Looked at again under the batch's lock: its import may have shown itself, or another node may be sweeping. */
  function takeOver(batchId: number): Promise<boolean> {
    return connection.write(async tx => {
      await lockBatch(tx, batchId)
      const taken = await tx.change(
        `UPDATE batches SET discarding = true, import_touched_at = ${databaseNow}
         WHERE id = $2 AND status = 'importing' AND ${isOrphaned}`,
        [orphans.importAfterMs, batchId],
      )
      return taken === 1
    })
  }

  async function finishCancels(now: number): Promise<void> {
    const halfCancelled = await connection.rows(
      `SELECT b.id, b.workspace_id FROM batches b JOIN batch_progress p ON p.batch_id = b.id
       WHERE b.status = 'cancelled' AND p.queued + p.waiting > 0`,
    )
    for (const { id, workspace_id: workspaceId } of halfCancelled)
      await dropQueue(connection, { id, workspaceId }, now)
  }
}

const isOrphaned = `coalesce(import_touched_at, 0) <= ${databaseNow} - $1::bigint`
