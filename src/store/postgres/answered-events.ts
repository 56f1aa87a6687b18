// An event for each answer, written only where an endpoint wants it: for everybody else a call stays one row cheaper.
import type { Row } from '../rows.ts'
import type { Reader, Transaction } from './transaction.ts'

/** Workspaces in which an endpoint wants to hear of answers. */
export async function wantingAnswers(reader: Reader): Promise<ReadonlySet<number>> {
  const rows = await reader.rows(
    'SELECT DISTINCT workspace_id FROM webhook_endpoints WHERE wants_answers AND enabled',
  )
  return new Set(rows.map(row => row.workspace_id as number))
}

/** `row`: the open attempt, before it ends. */
export function tellAnswers(
  tx: Transaction,
  answers: readonly { row: Row; at: number }[],
  wanting: ReadonlySet<number>,
): void {
  for (const { row, at } of answers) {
    if (!wanting.has(row.workspace_id)) continue
    const data = JSON.stringify({ attemptId: row.id, recipientId: row.recipient_id, ordinal: row.ordinal })
    tx.emit(row.workspace_id, row.batch_id, 'attempt.answered', at, data)
  }
}
