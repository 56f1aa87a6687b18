// Idempotency-Keys: one request reserves a key; its answer is saved in the create's own transaction.
import { keptAnswerMs } from '../limits.ts'
import type { Idempotency, IdempotencyVerdict, Store } from '../store.ts'
import type { Connection } from './connection.ts'
import { databaseNow } from './database-time.ts'
import type { Transaction } from './transaction.ts'

export function idempotencyStatements(
  connection: Connection,
): Pick<Store, 'reserveIdempotencyKey' | 'releaseIdempotencyKey'> {
  return {
    async reserveIdempotencyKey(workspaceId, key, fingerprint, now): Promise<IdempotencyVerdict> {
      for (;;) {
        const verdict = await reserve(workspaceId, key, fingerprint, now)
        // Given back between the two looks: it is new again.
        if (verdict !== null) return verdict
      }
    },

    releaseIdempotencyKey: (workspaceId, key) =>
      connection.write(async tx => {
        await tx.change(
          'DELETE FROM idempotency_keys WHERE workspace_id = $1 AND key = $2 AND status IS NULL',
          [workspaceId, key],
        )
      }),
  }

  /** null: the key is held and gone again. */
  function reserve(
    workspaceId: number,
    key: string,
    fingerprint: string,
    now: number,
  ): Promise<IdempotencyVerdict | null> {
    return connection.write(async tx => {
      const reserved = await tx.change(
        `INSERT INTO idempotency_keys AS k (workspace_id, key, fingerprint, created_at, reserved_at)
         VALUES ($1, $2, $3, $4, ${databaseNow})
         ON CONFLICT (workspace_id, key) DO UPDATE
           SET fingerprint = $3, created_at = $4, reserved_at = ${databaseNow}, status = NULL, body = NULL
           WHERE k.created_at <= $5`,
        [workspaceId, key, fingerprint, now, now - keptAnswerMs],
      )
      if (reserved === 1) return { verdict: 'new' }
      const row = await tx.row(
        'SELECT fingerprint, status, body FROM idempotency_keys WHERE workspace_id = $1 AND key = $2',
        [workspaceId, key],
      )
      if (row === undefined) return null
      if (row.fingerprint !== fingerprint) return { verdict: 'other-body' }
      if (row.status === null) return { verdict: 'in-flight' }
      return { verdict: 'answered', answer: { status: row.status, body: JSON.parse(row.body) } }
    })
  }
}

/** Does nothing without an Idempotency-Key. The key was reserved before. */
export async function saveAnswer<T>(
  tx: Transaction,
  workspaceId: number,
  idempotency: Idempotency<T> | undefined,
  created: T,
): Promise<void> {
  if (idempotency === undefined) return
  const { status, body } = idempotency.answer(created)
  await tx.change('UPDATE idempotency_keys SET status = $3, body = $4 WHERE workspace_id = $1 AND key = $2', [
    workspaceId,
    idempotency.key,
    status,
    JSON.stringify(body),
  ])
}

/** Answers that are a day old, and keys whose request has not answered for so long that it must have died. */
export async function sweepKeys(tx: Transaction, now: number, orphanedAfterMs: number): Promise<void> {
  await tx.change(
    `DELETE FROM idempotency_keys
     WHERE created_at <= $1 OR (status IS NULL AND reserved_at <= ${databaseNow} - $2::bigint)`,
    [now - keptAnswerMs, orphanedAfterMs],
  )
}
