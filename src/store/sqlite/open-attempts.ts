// Open attempts as placing and ending share them: reading one, and a recipient's way back to the queue.

import type { Row } from '../rows.ts'
import type { Connection } from './connection.ts'
import type { DueTimes } from './due-times.ts'
import { parking } from './parking.ts'

export interface OpenAttempts {
  /** undefined: not open any more. */
  find(attemptId: number): Row | undefined
  remove(attemptId: number): void
  /** A recipient leaves the batch for good without a call of its own. */
  dropRecipient(recipientId: number, standing: 'cancelled' | 'suppressed', now: number): void
  /** Back to the queue, unspent. */
  putBack(row: Row, standing: 'queued' | 'waiting', dueAt: number): void
  statusOfBatch(batchId: number): string
}

export function openAttempts(connection: Connection, dueTimes: DueTimes): OpenAttempts {
  const selectOpen = connection.prepare(
    `SELECT id, workspace_id, number, batch_id, recipient_id, trunk_id, phone_number_id, agent_id, zone, ordinal, status,
       node_id, lease_until, call_id, dialed_at, answered_at FROM open_attempts WHERE id = ?`,
  )
  const deleteOpen = connection.prepare('DELETE FROM open_attempts WHERE id = ?')
  const dropRecipient = connection.prepare(
    'UPDATE recipients SET standing = ?, due_at = NULL, finished_at = ? WHERE id = ?',
  )
  const putBack = connection.prepare('UPDATE recipients SET standing = ?, due_at = ? WHERE id = ?')
  const parked = parking(connection)
  const batchStatus = connection.prepare('SELECT status FROM batches WHERE id = ?')
  return {
    find: attemptId => selectOpen.get(attemptId),
    remove: attemptId => deleteOpen.run(attemptId),
    dropRecipient: (recipientId, standing, now) => dropRecipient.run(standing, now, recipientId),
    putBack(row, standing, dueAt) {
      putBack.run(standing, dueAt, row.recipient_id)
      if (dueAt > 0) parked.park(row.batch_id, dueAt)
      dueTimes.lower(row.batch_id, standing, row.zone, dueAt)
    },
    statusOfBatch: batchId => (batchStatus.get(batchId) as Row | undefined)?.status ?? 'cancelled',
  }
}
