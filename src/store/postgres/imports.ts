// A list on its way in: rows are stored while the batch is `importing`, and it goes live or goes away as a whole.
import type { Batch, IngestCounts } from '../../domain/batch.ts'
import { batchNotFound, refuseAddition } from '../refusals.ts'
import { type Row, toBatch } from '../rows.ts'
import type { Store } from '../store.ts'
import type { Connection } from './connection.ts'
import { databaseNow } from './database-time.ts'
import { discardRows } from './discard-rows.ts'
import { saveAnswer } from './idempotency.ts'
import { lockBatch, lockWorkspace } from './locks.ts'
import { completeDone, setBatchStatus } from './moves.ts'
import { insertBatch } from './new-batch.ts'
import { findBatch, readBatch, selectBatch } from './read-batch.ts'
import { lastRowNumber, storeRows } from './store-rows.ts'
import type { Transaction } from './transaction.ts'

type Family = Pick<
  Store,
  'findIdenticalBatch' | 'beginImport' | 'importRows' | 'finishImport' | 'discardImport' | 'addRecipients'
>

export function importStatements(connection: Connection): Family {
  return {
    findIdenticalBatch: async ({ workspaceId, agentId, name, contentHash }, since) => {
      const row = await connection.row(
        `${selectBatch} WHERE b.workspace_id = $1 AND b.agent_id = $2 AND b.name = $3 AND b.content_hash = $4
           AND b.created_at > $5 AND b.status NOT IN ('importing', 'cancelled', 'failed') ORDER BY b.id LIMIT 1`,
        [workspaceId, agentId, name, contentHash, since],
      )
      return row === undefined ? null : toBatch(row)
    },

    beginImport: batch => connection.write(tx => insertBatch(tx, batch)),

    importRows: (batchId, accepted, rejected) =>
      connection.write(async tx => {
        await holdImport(tx, batchId)
        await storeRows(tx, batchId, accepted, rejected)
      }),

    async finishImport(batchId, { rows }, decide, now, idempotency) {
      const outcome = await connection.write(async (tx): Promise<Batch | { refusal: unknown }> => {
        await holdImport(tx, batchId)
        await tx.change('UPDATE batches SET rows = $2 WHERE id = $1', [batchId, rows])
        const batch = await readBatch(tx, batchId)
        try {
          decide(batch.ingest)
        } catch (refusal) {
          return { refusal }
        }
        await goLive(tx, batch, now)
        const live = await readBatch(tx, batchId)
        await saveAnswer(tx, batch.workspaceId, idempotency, live)
        return live
      })
      if ('id' in outcome) return outcome
      await discardRows(connection, batchId)
      throw outcome.refusal
    },

    discardImport: batchId => discardRows(connection, batchId),

    addRecipients: (workspaceId, batchId, accepted, rejected, rows, now, idempotency) =>
      connection.write(async (tx): Promise<IngestCounts> => {
        await lockWorkspace(tx, workspaceId)
        await lockBatch(tx, batchId)
        const batch = await findBatch(tx, workspaceId, batchId)
        if (batch === null) throw batchNotFound(batchId)
        refuseAddition(batch)
        const offset = await lastRowNumber(tx, batchId)
        const numberedOn = <R extends { rowNumber: number }>(row: R) => ({
          ...row,
          rowNumber: row.rowNumber + offset,
        })
        const counts = await storeRows(tx, batchId, accepted.map(numberedOn), rejected.map(numberedOn))
        await tx.change('UPDATE batches SET rows = rows + $2, updated_at = $3 WHERE id = $1', [
          batchId,
          rows,
          now,
        ])
        const added: IngestCounts = { rows, ...counts }
        tx.emit(workspaceId, batchId, 'recipients.added', now, JSON.stringify(added))
        tx.workChanged()
        await saveAnswer(tx, workspaceId, idempotency, added)
        return added
      }),
  }
}

/** Locks an import and shows a sign of life. One that was taken for dead meanwhile has lost rows: it must not go live. */
async function holdImport(tx: Transaction, batchId: number): Promise<void> {
  await lockBatch(tx, batchId)
  const held = await tx.change(
    `UPDATE batches SET import_touched_at = ${databaseNow} WHERE id = $1 AND status = 'importing' AND NOT discarding`,
    [batchId],
  )
  if (held === 0)
    throw new Error(`the import of batch ${batchId} is over: it was finished, discarded or swept`)
}

async function goLive(tx: Transaction, batch: Batch, now: number): Promise<void> {
  const { start_as: startAs } = (await tx.row('SELECT start_as FROM batches WHERE id = $1', [
    batch.id,
  ])) as Row
  const data = JSON.stringify({ totalRecipients: batch.totalRecipients })
  tx.emit(batch.workspaceId, batch.id, 'batch.created', now, data)
  if (startAs === 'draft') await setBatchStatus(tx, batch, 'draft', null, now)
  else if (batch.scheduledAt !== null && batch.scheduledAt > now)
    await setBatchStatus(tx, batch, 'scheduled', 'batch.scheduled', now)
  else {
    await setBatchStatus(tx, batch, 'running', 'batch.started', now)
    await completeDone(tx, [batch.id], now)
  }
}
