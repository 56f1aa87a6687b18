// An event for each answer, written only where an endpoint wants it: for everybody else a call stays one row cheaper.

import type { Row } from '../rows.ts'
import type { Connection } from './connection.ts'

/** Inside a transaction. `row`: the open attempt. */
export function answerTeller(connection: Connection) {
  const selectAnybody = connection.prepare(
    'SELECT 1 FROM webhook_endpoints WHERE wants_answers = 1 AND enabled = 1 LIMIT 1',
  )
  const selectWho = connection.prepare(
    'SELECT 1 FROM webhook_endpoints WHERE workspace_id = ? AND wants_answers = 1 AND enabled = 1 LIMIT 1',
  )
  return {
    /** Asked first, so that nobody's calls are looked up for nothing (1 µs). */
    isWanted: () => selectAnybody.get() !== undefined,
    tell(row: Row, at: number): void {
      if (selectWho.get(row.workspace_id) === undefined) return
      const data = JSON.stringify({ attemptId: row.id, recipientId: row.recipient_id, ordinal: row.ordinal })
      connection.emit(row.workspace_id, row.batch_id, 'attempt.answered', at, data)
    },
  }
}
