// An event for each answer, written only where an endpoint wants it: for everybody else a call stays one row cheaper.
import type { Row } from '../rows.ts'
import type { Transaction } from './transaction.ts'

/** `row`: the open attempt, before it ends. */
export async function tellAnswers(
  tx: Transaction,
  answers: readonly { row: Row; at: number }[],
): Promise<void> {
  if (answers.length === 0) return
  const rows = await tx.rows(
    `SELECT DISTINCT workspace_id FROM webhook_endpoints
     WHERE workspace_id = ANY ($1::bigint[]) AND wants_answers AND enabled`,
    [[...new Set(answers.map(({ row }) => row.workspace_id))]],
  )
  const wanting = new Set(rows.map(row => row.workspace_id as number))
  for (const { row, at } of answers) {
    if (!wanting.has(row.workspace_id)) continue
    const data = JSON.stringify({ attemptId: row.id, recipientId: row.recipient_id, ordinal: row.ordinal })
    tx.emit(row.workspace_id, row.batch_id, 'attempt.answered', at, data)
  }
}
