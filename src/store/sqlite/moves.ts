// Transitions that several families share, each inside the transaction under way: counters, completion, leaving a queue.
import type { BatchStatus } from '../../domain/batch.ts'
import type { EventType } from '../../domain/event.ts'
import type { Standing } from '../../domain/recipient.ts'
import { columnOf, type Row } from '../rows.ts'
import type { Connection } from './connection.ts'

type Sum = 'talk_ms' | 'attempts' | 'ended_attempts' | 'failed_attempts' | 'cost_millicents'

/** Changes to counters, gathered so that each batch's row is written once per group of transitions. */
export class ProgressChanges {
  readonly #byBatch = new Map<number, Map<string, number>>()

  /** A recipient of `batchId` went from one standing to another (`null`: it was not there before). */
  move(batchId: number, from: Standing | null, to: Standing, count = 1): void {
    if (from !== null) this.#add(batchId, columnOf(from), -count)
    this.#add(batchId, columnOf(to), count)
  }

  sum(batchId: number, column: Sum, amount: number): void {
    if (amount !== 0) this.#add(batchId, column, amount)
  }

  /** Writes them all; returns the batches that were touched. */
  write(connection: Connection): number[] {
    for (const [batchId, changes] of this.#byBatch) {
      const columns = [...changes.keys()]
      const assignments = columns.map(column => `${column} = ${column} + ?`).join(', ')
      connection
        .prepare(`UPDATE batch_progress SET ${assignments} WHERE batch_id = ?`)
        .run(...changes.values(), batchId)
    }
    return [...this.#byBatch.keys()]
  }

  #add(batchId: number, column: string, amount: number): void {
    let changes = this.#byBatch.get(batchId)
    if (changes === undefined) {
      changes = new Map()
      this.#byBatch.set(batchId, changes)
    }
    changes.set(column, (changes.get(column) ?? 0) + amount)
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
