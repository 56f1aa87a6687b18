// Batches as they are read, and the moves that somebody asks of them.
import type { Batch, BatchAction } from '../../domain/batch.ts'
import { keptAnswerMs } from '../limits.ts'
import type { BatchFilter } from '../lookups.ts'
import { refuseDeletion, refuseUnlawful } from '../refusals.ts'
import { type Row, toBatch } from '../rows.ts'
import type { Store } from '../store.ts'
import type { Connection } from './connection.ts'
import { discardRows } from './discard-rows.ts'
import { completeIfDone, ProgressChanges, setBatchStatus } from './moves.ts'
import { readBatch, selectBatch } from './read-batch.ts'

/** Recipients dropped in one transaction by a cancel. */
const cancelChunkRows = 5_000

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
  | 'sweep'
>

export function batchStatements(connection: Connection): Family {
  const find = (workspaceId: number, batchId: number): Batch | null => {
    const row = connection
      .prepare(`${selectBatch} WHERE b.id = ? AND b.workspace_id = ? AND b.status <> 'importing'`)
      .get(batchId, workspaceId) as Row | undefined
    return row === undefined ? null : toBatch(row)
  }

  /** Runs a lawful move in a transaction; null when there is no such batch. */
  const act = (
    workspaceId: number,
    batchId: number,
    action: BatchAction,
    move: (batch: Batch) => void,
  ): Promise<Batch | null> =>
    connection.write(() => {
      const batch = find(workspaceId, batchId)
      if (batch === null) return null
      refuseUnlawful(batch, action)
      move(batch)
      return readBatch(connection, batchId)
    })

  const list = (workspaceId: number, filter: BatchFilter & { agentId?: number }) => {
    const conditions = ['b.workspace_id = ?', `b.status <> 'importing'`]
    const values: (string | number)[] = [workspaceId]
    if (filter.agentId !== undefined) {
      conditions.push('b.agent_id = ?')
      values.push(filter.agentId)
    }
    if (filter.kind !== undefined) {
      conditions.push('b.kind = ?')
      values.push(filter.kind)
    }
    if (filter.statuses !== undefined) {
      conditions.push('b.status IN (SELECT value FROM json_each(?))')
      values.push(JSON.stringify(filter.statuses))
    }
    return { where: conditions.join(' AND '), values }
  }

  return {
    getBatch: async (workspaceId, batchId) => find(workspaceId, batchId),

    async listBatches(workspaceId, filter, { offset, limit }) {
      const { where, values } = list(workspaceId, filter)
      const { total } = connection
        .prepare(`SELECT count(*) AS total FROM batches b WHERE ${where}`)
        .get(...values) as Row
      const rows = connection
        .prepare(`${selectBatch} WHERE ${where} ORDER BY b.id DESC LIMIT ? OFFSET ?`)
        .all(...values, limit, offset)
      return { batches: rows.map(toBatch), total }
    },

    async listBatchesBefore(workspaceId, filter, { beforeId, limit }) {
      const { where, values } = list(workspaceId, filter)
      return connection
        .prepare(`${selectBatch} WHERE ${where} AND b.id < ? ORDER BY b.id DESC LIMIT ?`)
        .all(...values, beforeId ?? Number.MAX_SAFE_INTEGER, limit)
        .map(toBatch)
    },

    startBatch: (workspaceId, batchId, now) =>
      act(workspaceId, batchId, 'start', batch => {
        setBatchStatus(connection, batch, 'running', 'batch.started', now)
        completeIfDone(connection, batchId, now)
      }),

    pauseBatch: (workspaceId, batchId, reason, now) =>
      act(workspaceId, batchId, 'pause', batch =>
        setBatchStatus(connection, batch, 'paused', 'batch.paused', now, reason),
      ),

    resumeBatch: (workspaceId, batchId, now) =>
      act(workspaceId, batchId, 'resume', batch => {
        const waits = batch.startedAt === null && batch.scheduledAt !== null && batch.scheduledAt > now
        setBatchStatus(connection, batch, waits ? 'scheduled' : 'running', 'batch.resumed', now)
        completeIfDone(connection, batchId, now)
      }),

    async cancelBatch(workspaceId, batchId, now) {
      const before = await act(workspaceId, batchId, 'cancel', batch =>
        setBatchStatus(connection, batch, 'cancelled', 'batch.cancelled', now),
      )
      if (before === null) return null
      const { queued, waiting } = before.progress.counts
      await dropQueue(connection, batchId, now)
      return { batch: readBatch(connection, batchId), dropped: queued + waiting }
    },

    closeBatch: (workspaceId, batchId, now) =>
      act(workspaceId, batchId, 'close', batch => {
        connection.prepare('UPDATE batches SET open = 0, updated_at = ? WHERE id = ?').run(now, batchId)
        connection.emit(workspaceId, batch.id, 'batch.closed', now, '{}')
        completeIfDone(connection, batchId, now)
      }),

    rescheduleBatch: (workspaceId, batchId, scheduledAt, timezone, now) =>
      act(workspaceId, batchId, 'reschedule', batch => {
        connection
          .prepare('UPDATE batches SET scheduled_at = ?, timezone = ? WHERE id = ?')
          .run(scheduledAt, timezone, batchId)
        setBatchStatus(connection, batch, 'scheduled', 'batch.rescheduled', now)
      }),

    async deleteBatch(workspaceId, batchId, now) {
      const hidden = await connection.write(() => {
        const batch = find(workspaceId, batchId)
        if (batch === null) return false
        refuseDeletion(batch)
        connection
          .prepare(`UPDATE batches SET status = 'importing', updated_at = ? WHERE id = ?`)
          .run(now, batchId)
        return true
      })
      if (hidden) await discardRows(connection, batchId)
      return hidden
    },

    async sweep(now) {
      const orphans = connection.prepare(`SELECT id FROM batches WHERE status = 'importing'`).all() as Row[]
      for (const { id } of orphans) await discardRows(connection, id)
      const halfCancelled = connection
        .prepare(
          `SELECT b.id FROM batches b JOIN batch_progress p ON p.batch_id = b.id
           WHERE b.status = 'cancelled' AND p.queued + p.waiting > 0`,
        )
        .all() as Row[]
      for (const { id } of halfCancelled) await dropQueue(connection, id, now)
      await connection.write(() => {
        connection
          .prepare('DELETE FROM idempotency_keys WHERE status IS NULL OR created_at <= ?')
          .run(now - keptAnswerMs)
      })
      return orphans.length
    },
  }
}

/** Everybody who is not being called becomes `cancelled`, a chunk per transaction. */
async function dropQueue(connection: Connection, batchId: number, now: number): Promise<void> {
  for (const standing of ['queued', 'waiting'] as const) {
    const chunk = connection.prepare(
      `UPDATE recipients SET standing = 'cancelled', due_at = NULL, finished_at = ?1
       WHERE id IN (SELECT id FROM recipients WHERE batch_id = ?2 AND standing = '${standing}'
         AND due_at IS NOT NULL LIMIT ?3)`,
    )
    const drop = () => {
      const count = Number(chunk.run(now, batchId, cancelChunkRows).changes)
      const changes = new ProgressChanges()
      if (count > 0) changes.move(batchId, standing, 'cancelled', count)
      changes.write(connection)
      return count
    }
    while ((await connection.write(drop)) === cancelChunkRows);
  }
}
