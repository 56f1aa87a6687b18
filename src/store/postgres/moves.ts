// Transitions that several families share, each inside the transaction under way: counters, completion, leaving a queue.
import type { BatchStatus } from '../../domain/batch.ts'
import type { EventType } from '../../domain/event.ts'
import type { Standing } from '../../domain/recipient.ts'
import { GatheredChanges, progressCounters } from '../progress-changes.ts'
import { lockBatches } from './locks.ts'
import type { Reader, Transaction } from './transaction.ts'

/**
 * All counters in one statement, whichever change: one text to prepare, and one trip for all batches, whose rows are locked
 * in their order before any is written.
 */
const addToProgress = `WITH locked AS MATERIALIZED (
    SELECT batch_id FROM batch_progress WHERE batch_id = ANY ($1::bigint[]) ORDER BY batch_id FOR UPDATE)
  UPDATE batch_progress p
  SET ${progressCounters.map(column => `${column} = p.${column} + d.${column}`).join(', ')}
  FROM locked JOIN unnest($1::bigint[], ${progressCounters.map((_, index) => `$${index + 2}::bigint[]`).join(', ')})
    AS d (batch_id, ${progressCounters.join(', ')}) ON d.batch_id = locked.batch_id
  WHERE p.batch_id = locked.batch_id
  RETURNING p.batch_id, p.queued + p.calling + p.waiting AS live, p.ended_attempts, p.failed_attempts`

/** A batch whose counters were written, as it stands then. */
export interface TouchedBatch {
  id: number
  /** Recipients who have not finished. */
  live: number
  endedAttempts: number
  failedAttempts: number
}

export class ProgressChanges extends GatheredChanges {
  /** Writes them all; from then on the transaction holds the batches' locks. */
  async write(tx: Transaction): Promise<TouchedBatch[]> {
    if (this.byBatch.size === 0) return []
    const rows = await tx.rows(addToProgress, this.#values())
    return rows.map(row => ({
      id: row.batch_id,
      live: row.live,
      endedAttempts: row.ended_attempts,
      failedAttempts: row.failed_attempts,
    }))
  }

  /** Writes them with the commit, where nobody asks what became of the batches: their locks are held as short as can be. */
  writeLast(tx: Transaction): void {
    if (this.byBatch.size > 0) tx.last(addToProgress, this.#values())
  }

  #values(): unknown[] {
    const changes = [...this.byBatch].sort(([one], [other]) => one - other)
    const columns = progressCounters.map(column => changes.map(([, change]) => change.get(column) ?? 0))
    return [changes.map(([batchId]) => batchId), ...columns]
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

/** Those of the touched batches in which nobody is left; see `completeDone`. */
export function completeTouched(
  tx: Transaction,
  touched: readonly TouchedBatch[],
  now: number,
): Promise<number[]> {
  return completeDone(
    tx,
    touched.filter(({ live }) => live === 0).map(({ id }) => id),
    now,
  )
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
  return completeTouched(tx, await changes.write(tx), now)
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
