// Batches as they are read, and the moves that somebody asks of them.
import type { Batch, BatchAction } from '../../domain/batch.ts'
import type { BatchFilter } from '../lookups.ts'
import { refuseDeletion, refuseUnlawful } from '../refusals.ts'
import { type Row, toBatch } from '../rows.ts'
import type { Store } from '../store.ts'
import type { Connection } from './connection.ts'
import { discardRows } from './discard-rows.ts'
import { dropQueue } from './drop-queue.ts'
import { lockBatch, lockWorkspace } from './locks.ts'
import { completeDone, setBatchStatus } from './moves.ts'
import { findBatch, readBatch, selectBatch } from './read-batch.ts'
import type { Transaction } from './transaction.ts'

type Family = Pick<
  Store,
  | 'getBatch'
  | 'listBatches'
  | 'listBatchesBefore'
  | 'startBatch'
  | 'pauseBatch'
  | 'resumeBatch'
  | 'cancelBatch'
  | 'closeBatch'
  | 'rescheduleBatch'
  | 'deleteBatch'
>

/** $1: the workspace; $2 to $4: the filter, null where there is none. */
const listed = `b.workspace_id = $1 AND b.status <> 'importing' AND ($2::bigint IS NULL OR b.agent_id = $2)
  AND ($3::text[] IS NULL OR b.status = ANY ($3)) AND ($4::text IS NULL OR b.kind = $4)`
const filterValues = (workspaceId: number, filter: BatchFilter & { agentId?: number }) => [
  workspaceId,
  filter.agentId ?? null,
  filter.statuses ?? null,
  filter.kind ?? null,
]

export function batchStatements(connection: Connection): Family {
  /** Runs a lawful move in a transaction that holds the workspace and the batch; null when there is no such batch. */
  const act = (
    workspaceId: number,
    batchId: number,
    action: BatchAction,
    move: (tx: Transaction, batch: Batch) => Promise<unknown>,
  ): Promise<Batch | null> =>
    connection.write(async tx => {
      const batch = await holdBatch(tx, workspaceId, batchId)
      if (batch === null) return null
      refuseUnlawful(batch, action)
      await move(tx, batch)
      return readBatch(tx, batchId)
    })

  return {
    getBatch: (workspaceId, batchId) => findBatch(connection, workspaceId, batchId),

    listBatches: (workspaceId, filter, { offset, limit }) =>
      connection.snapshot(async reader => {
        const values = filterValues(workspaceId, filter)
        const count = await reader.row(`SELECT count(*) AS total FROM batches b WHERE ${listed}`, values)
        const rows = await reader.rows(
          `${selectBatch} WHERE ${listed} ORDER BY b.id DESC LIMIT $5 OFFSET $6`,
          [...values, limit, offset],
        )
        return { batches: rows.map(toBatch), total: (count as Row).total }
      }),

    async listBatchesBefore(workspaceId, filter, { beforeId, limit }) {
      const rows = await connection.rows(
        `${selectBatch} WHERE ${listed} AND b.id < $5 ORDER BY b.id DESC LIMIT $6`,
        [...filterValues(workspaceId, filter), beforeId ?? Number.MAX_SAFE_INTEGER, limit],
      )
      return rows.map(toBatch)
    },

    startBatch: (workspaceId, batchId, now) =>
      act(workspaceId, batchId, 'start', async (tx, batch) => {
        await setBatchStatus(tx, batch, 'running', 'batch.started', now)
        await completeDone(tx, [batchId], now)
      }),

    pauseBatch: (workspaceId, batchId, reason, now) =>
      act(workspaceId, batchId, 'pause', (tx, batch) =>
        setBatchStatus(tx, batch, 'paused', 'batch.paused', now, reason),
      ),

    resumeBatch: (workspaceId, batchId, now) =>
      act(workspaceId, batchId, 'resume', async (tx, batch) => {
        const waits = batch.startedAt === null && batch.scheduledAt !== null && batch.scheduledAt > now
        await setBatchStatus(tx, batch, waits ? 'scheduled' : 'running', 'batch.resumed', now)
        await completeDone(tx, [batchId], now)
      }),

    async cancelBatch(workspaceId, batchId, now) {
      const before = await act(workspaceId, batchId, 'cancel', (tx, batch) =>
        setBatchStatus(tx, batch, 'cancelled', 'batch.cancelled', now),
      )
      if (before === null) return null
      const { queued, waiting } = before.progress.counts
      await dropQueue(connection, before, now)
      return { batch: await readBatch(connection, batchId), dropped: queued + waiting }
    },

    closeBatch: (workspaceId, batchId, now) =>
      act(workspaceId, batchId, 'close', async tx => {
        await tx.change('UPDATE batches SET open = false, updated_at = $2 WHERE id = $1', [batchId, now])
        tx.emit(workspaceId, batchId, 'batch.closed', now, '{}')
        await completeDone(tx, [batchId], now)
      }),

    rescheduleBatch: (workspaceId, batchId, scheduledAt, timezone, now) =>
      act(workspaceId, batchId, 'reschedule', async (tx, batch) => {
        await tx.change('UPDATE batches SET scheduled_at = $2, timezone = $3 WHERE id = $1', [
          batchId,
          scheduledAt,
          timezone,
        ])
        await setBatchStatus(tx, batch, 'scheduled', 'batch.rescheduled', now)
      }),

    async deleteBatch(workspaceId, batchId, now) {
      const hidden = await connection.write(async tx => {
        const batch = await holdBatch(tx, workspaceId, batchId)
        if (batch === null) return false
        refuseDeletion(batch)
        await tx.change(
          `UPDATE batches SET status = 'importing', discarding = true, import_touched_at = 0, updated_at = $2 WHERE id = $1`,
          [batchId, now],
        )
        return true
      })
      if (hidden) await discardRows(connection, batchId)
      return hidden
    },
  }
}

async function holdBatch(tx: Transaction, workspaceId: number, batchId: number): Promise<Batch | null> {
  await lockWorkspace(tx, workspaceId)
  await lockBatch(tx, batchId)
  return findBatch(tx, workspaceId, batchId)
}
