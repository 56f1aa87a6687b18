// Open attempts as placing and ending share them: their columns, and a recipient's way back to the queue.
import type { Row } from '../rows.ts'
import type { Transaction } from './transaction.ts'

export const openColumns = `id, workspace_id, number, batch_id, recipient_id, trunk_id, phone_number_id, agent_id, zone, ordinal,
  status, node_id, lease_until, slot_at, call_id, dialed_at, answered_at`

/** Recipients of these attempts leave the batch for good without a call of their own. */
export async function dropRecipients(
  tx: Transaction,
  rows: readonly Row[],
  standing: 'cancelled' | 'suppressed',
  now: number,
): Promise<void> {
  if (rows.length === 0) return
  await tx.change(
    'UPDATE recipients SET standing = $2, due_at = NULL, finished_at = $3 WHERE id = ANY ($1::bigint[])',
    [rows.map(row => row.recipient_id), standing, now],
  )
}

interface PutBack {
  /** Of open_attempts. */
  row: Row
  standing: 'queued' | 'waiting'
  dueAt: number
  /** null: it does not count towards the bound of put-backs. */
  throttledAt: number | null
}

/** Back to the queue, unspent. */
export async function putBackRecipients(tx: Transaction, returned: readonly PutBack[]): Promise<void> {
  if (returned.length === 0) return
  await parkCalls(
    tx,
    returned
      .filter(({ dueAt }) => dueAt > 0)
      .map(({ row, dueAt }) => ({ batchId: row.batch_id, until: dueAt })),
  )
  await tx.change(
    `UPDATE recipients r SET standing = p.standing, due_at = p.due_at,
       put_backs = r.put_backs + CASE WHEN p.throttled_at IS NULL THEN 0 ELSE 1 END,
       first_put_back_at = coalesce(r.first_put_back_at, p.throttled_at)
     FROM unnest($1::bigint[], $2::text[], $3::bigint[], $4::bigint[]) AS p (id, standing, due_at, throttled_at)
     WHERE r.id = p.id`,
    [
      returned.map(({ row }) => row.recipient_id),
      returned.map(({ standing }) => standing),
      returned.map(({ dueAt }) => dueAt),
      returned.map(({ throttledAt }) => throttledAt),
    ],
  )
}

/** Single calls begin to wait: no claim goes through them until then. Batches that are lists are not touched. */
export async function parkCalls(
  tx: Transaction,
  waiting: readonly { batchId: number; until: number }[],
): Promise<void> {
  if (waiting.length === 0) return
  await tx.change(
    `UPDATE batches b SET parked_until = w.until FROM unnest($1::bigint[], $2::bigint[]) AS w (id, until)
     WHERE b.id = w.id AND b.kind = 'call'`,
    [waiting.map(({ batchId }) => batchId), waiting.map(({ until }) => until)],
  )
}
