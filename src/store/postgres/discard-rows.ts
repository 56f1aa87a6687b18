// A batch and everything about it goes away, a chunk per transaction: no lock is held for long.
import { recipientId } from '../../domain/recipient-id.ts'
import type { Connection } from './connection.ts'
import { databaseNow } from './database-time.ts'
import { lockBatch } from './locks.ts'
import type { Transaction } from './transaction.ts'

/** Rows of one table deleted in one transaction. */
const deleteChunkRows = 5_000

/**
 * Deletes a batch and all its rows. It is marked first, so that no import goes on with half of its rows; its own row goes
 * last, so that a crash leaves it findable.
 */
export async function discardRows(connection: Connection, batchId: number): Promise<void> {
  const accepted = await connection.write(tx => beginDiscard(tx, batchId))
  if (accepted === null) return
  for (let from = 0; from < accepted; from += deleteChunkRows) {
    // By position: after thousands of deletions a search by batch would walk over all that is gone.
    const range = [
      recipientId(batchId, from),
      recipientId(batchId, Math.min(from + deleteChunkRows, accepted)),
    ]
    await connection.write(async tx => {
      await tx.change('DELETE FROM recipients WHERE id > $1 AND id <= $2', range)
      await tx.change('DELETE FROM recipient_details WHERE id > $1 AND id <= $2', range)
    })
  }
  for (const table of ['rejected_rows', 'attempts', 'conversations', 'traces']) {
    const chunk = `DELETE FROM ${table} WHERE ctid = ANY (ARRAY(SELECT ctid FROM ${table} WHERE batch_id = $1 LIMIT $2))`
    const deleteChunk = (tx: Transaction) => tx.change(chunk, [batchId, deleteChunkRows])
    while ((await connection.write(deleteChunk)) === deleteChunkRows);
  }
  await connection.write(async tx => {
    await tx.change('DELETE FROM batch_zones WHERE batch_id = $1', [batchId])
    await tx.change('DELETE FROM batch_callers WHERE batch_id = $1', [batchId])
    await tx.change('DELETE FROM batch_progress WHERE batch_id = $1', [batchId])
    await tx.change('DELETE FROM batches WHERE id = $1', [batchId])
    tx.workChanged('this-node')
  })
}

/**
 * How many recipients there are to delete; null: no such batch, or one that is live: who gave the import up may not have
 * heard of the commit that made it whole.
 */
async function beginDiscard(tx: Transaction, batchId: number): Promise<number | null> {
  await lockBatch(tx, batchId)
  const row = await tx.row(
    `UPDATE batches SET status = 'importing', discarding = true, import_touched_at = ${databaseNow}
     WHERE id = $1 AND status = 'importing' RETURNING accepted`,
    [batchId],
  )
  return row?.accepted ?? null
}
