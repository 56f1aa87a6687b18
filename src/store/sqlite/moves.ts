// Transitions that several families share, each inside the transaction under way: counters, completion, leaving a queue.
import type { BatchStatus } from '../../domain/batch.ts'
import type { EventType } from '../../domain/event.ts'
import type { Standing } from '../../domain/recipient.ts'
import { GatheredChanges } from '../progress-changes.ts'
import type { Row } from '../rows.ts'
import type { Connection } from './connection.ts'

export class ProgressChanges extends GatheredChanges {
  /** Writes them all; returns the batches that were touched. */
  write(connection: Connection): number[] {
    for (const [batchId, changes] of this.byBatch) {
      const columns = [...changes.keys()]
      const assignments = columns.map(column => `${column} = ${column} + ?`).join(', ')
      connection
        .prepare(`UPDATE batch_progress SET ${assignments} WHERE batch_id = ?`)
        .run(...changes.values(), batchId)
    }
    return [...this.byBatch.keys()]
  }
}

/** Moves a batch and tells of it (unless somebody else does: `event` null). */
export function setBatchStatus(
  connection: Connection,
  batch: { id: number; workspaceId: number },
  status: BatchStatus,
  event: EventType | null,
  now: number,
  reason: string | null = null,
): void {
  const stamp =
    status === 'running'
      ? ', started_at = coalesce(started_at, ?1)'
      : status === 'completed' || status === 'cancelled' || status === 'failed'
        ? ', completed_at = ?1'
        : ''
  connection
    .prepare(`UPDATE batches SET status = ?2, status_reason = ?3, updated_at = ?1${stamp} WHERE id = ?4`)
    .run(now, status, reason, batch.id)
  if (event !== null)
    connection.emit(
      batch.workspaceId,
      batch.id,
      event,
      now,
      JSON.stringify(reason === null ? {} : { reason }),
    )
  connection.workChanged()
}

/** A running or paused batch that takes no more recipients is complete exactly when its last recipient finished. */
export function completeIfDone(connection: Connection, batchId: number, now: number): boolean {
  const row = connection
    .prepare(
      `SELECT b.workspace_id FROM batches b JOIN batch_progress p ON p.batch_id = b.id
       WHERE b.id = ? AND b.status IN ('running', 'paused') AND b.open = 0
         AND p.queued + p.calling + p.waiting = 0`,
    )
    .get(batchId) as Row | undefined
  if (row === undefined) return false
  setBatchStatus(
    connection,
    { id: batchId, workspaceId: row.workspace_id },
    'completed',
    'batch.completed',
    now,
  )
  return true
}

/** Takes a number out of the queue of every live batch of the workspace; a call under way is not touched. Returns the
 * batches that completed by that. */
export function suppressWaiting(
  connection: Connection,
  workspaceId: number,
  number: string,
  now: number,
): number[] {
  const waiting = connection
    .prepare(
      `SELECT r.id, r.batch_id, r.standing FROM batches b JOIN recipients r ON r.batch_id = b.id AND r.number = ?2
       WHERE b.workspace_id = ?1 AND b.status IN ('importing', 'draft', 'scheduled', 'running', 'paused')
         AND r.standing IN ('queued', 'waiting')`,
    )
    .all(workspaceId, number) as Row[]
  const changes = new ProgressChanges()
  for (const { id, batch_id: batchId, standing } of waiting) {
    leaveQueue(connection, id, 'suppressed', now)
    changes.move(batchId, standing, 'suppressed')
  }
  return changes.write(connection).filter(batchId => completeIfDone(connection, batchId, now))
}

/** A recipient will not be called any more. */
export function leaveQueue(
  connection: Connection,
  recipientId: number,
  standing: Standing,
  now: number,
): void {
  connection
    .prepare('UPDATE recipients SET standing = ?, due_at = NULL, finished_at = ? WHERE id = ?')
    .run(standing, now, recipientId)
}
