// Transitions that several families share, each inside the transaction under way: counters, completion, leaving a queue.
import type { BatchStatus } from '../../domain/batch.ts'
import type { EventType } from '../../domain/event.ts'
import type { Standing } from '../../domain/recipient.ts'
import { GatheredChanges, progressCounters } from '../progress-changes.ts'
import { lockBatches } from './locks.ts'
import type { Reader, Transaction } from './transaction.ts'

/** All counters in one statement, whichever change: one text to prepare, and one trip for all batches. */
const addToProgress = `UPDATE batch_progress p
  SET ${progressCounters.map(column => `${column} = p.${column} + d.${column}`).join(', ')}
  FROM unnest($1::bigint[], ${progressCounters.map((_, index) => `$${index + 2}::bigint[]`).join(', ')})
    AS d (batch_id, ${progressCounters.join(', ')})
  WHERE p.batch_id = d.batch_id`

export class ProgressChanges extends GatheredChanges {
  /** Writes them all, in the order of the locks; returns the batches that were touched. */
  async write(tx: Transaction): Promise<number[]> {
    const changes = [...this.byBatch].sort(([one], [other]) => one - other)
    if (changes.length === 0) return []
    const batchIds = changes.map(([batchId]) => batchId)
    if (changes.length > 1) await lockBatches(tx, batchIds)
    const columns = progressCounters.map(column => changes.map(([, change]) => change.get(column) ?? 0))
    await tx.change(addToProgress, [batchIds, ...columns])
    return batchIds
  }
}

/** Moves a batch, which the transaction has locked, and tells of it (unless somebody else does: `event` null). */
export async function setBatchStatus(
  tx: Transaction,
  batch: { id: number; workspaceId: number },
  status: BatchStatus,
  event: EventType | null,
  now: number,
  reason: string | null = null,
): Promise<void> {
  const hasEnded = status === 'completed' || status === 'cancelled' || status === 'failed'
  await tx.change(
    `UPDATE batches SET status = $2, status_reason = $3, updated_at = $4,
       started_at = CASE WHEN $5 THEN coalesce(started_at, $4) ELSE started_at END,
       completed_at = CASE WHEN $6 THEN $4 ELSE completed_at END
     WHERE id = $1`,
    [batch.id, status, reason, now, status === 'running', hasEnded],
  )
  const data = JSON.stringify(reason === null ? {} : { reason })
  if (event !== null) tx.emit(batch.workspaceId, batch.id, event, now, data)
  tx.workChanged()
}

/**
 * Running or paused batches that take no more recipients are complete exactly when their last recipient finished. The
 * transaction holds their locks. Returns those that completed.
 */
export async function completeDone(
  tx: Transaction,
  batchIds: readonly number[],
  now: number,
): Promise<number[]> {
  if (batchIds.length === 0) return []
  const completed = await tx.rows(
    `UPDATE batches b SET status = 'completed', status_reason = NULL, updated_at = $2, completed_at = $2
     FROM batch_progress p
     WHERE p.batch_id = b.id AND b.id = ANY ($1::bigint[]) AND b.status IN ('running', 'paused') AND NOT b.open
       AND p.queued + p.calling + p.waiting = 0
     RETURNING b.id, b.workspace_id`,
    [batchIds, now],
  )
  for (const { id, workspace_id: workspaceId } of completed) {
    tx.emit(workspaceId, id, 'batch.completed', now, '{}')
    tx.workChanged()
  }
  return completed.map(({ id }) => id)
}

/**
 * Takes numbers out of the queue of every live batch of the workspace, which the transaction has locked; a call under way
 * is not touched. Returns the batches that completed by that.
 */
export async function suppressWaiting(
  tx: Transaction,
  workspaceId: number,
  numbers: readonly string[],
  now: number,
): Promise<number[]> {
  const batchIds = await waitingBatches(tx, workspaceId, numbers)
  if (batchIds.length === 0) return []
  await lockBatches(tx, batchIds)
  const moved = await tx.rows(
    `UPDATE recipients r SET standing = 'suppressed', due_at = NULL, finished_at = $3
     FROM (SELECT r.id, r.standing ${waitingByNumber}) AS before WHERE r.id = before.id
     RETURNING r.batch_id, before.standing`,
    [workspaceId, numbers, now],
  )
  const changes = new ProgressChanges()
  for (const { batch_id: batchId, standing } of moved)
    changes.move(batchId, standing as Standing, 'suppressed')
  return completeDone(tx, await changes.write(tx), now)
}

/** The live batches of a workspace in which one of these numbers waits. */
export async function waitingBatches(
  reader: Reader,
  workspaceId: number,
  numbers: readonly string[],
): Promise<number[]> {
  const rows = await reader.rows(`SELECT DISTINCT r.batch_id ${waitingByNumber}`, [workspaceId, numbers])
  return rows.map(row => row.batch_id)
}

const waitingByNumber = `FROM batches b JOIN recipient_details d ON d.batch_id = b.id AND d.number = ANY ($2::text[])
    JOIN recipients r ON r.id = d.id
  WHERE b.workspace_id = $1 AND b.status IN ('importing', 'draft', 'scheduled', 'running', 'paused')
    AND NOT b.discarding AND r.standing IN ('queued', 'waiting')`
