// The answer of a create, saved in the create's own transaction.
import type { Idempotency } from '../store.ts'
import type { Connection } from './connection.ts'

/** Does nothing without an Idempotency-Key. The key was reserved before (`reserveIdempotencyKey`). */
export function saveAnswer<T>(
  connection: Connection,
  workspaceId: number,
  idempotency: Idempotency<T> | undefined,
  created: T,
): void {
  if (idempotency === undefined) return
  const { status, body } = idempotency.answer(created)
  connection
    .prepare('UPDATE idempotency_keys SET status = ?, body = ? WHERE workspace_id = ? AND key = ?')
    .run(status, JSON.stringify(body), workspaceId, idempotency.key)
}
