// The SIP messages of calls: written with the call's end whatever end that was, the newest kept.
import type { CallTrace } from '../../domain/call-trace.ts'
import { maxTraces } from '../limits.ts'
import type { Row } from '../rows.ts'
import type { Store } from '../store.ts'
import type { Connection } from './connection.ts'

export function traceStatements(connection: Connection): Pick<Store, 'findTrace'> {
  const select = connection.prepare('SELECT trace FROM traces WHERE workspace_id = ? AND attempt_id = ?')
  return {
    async findTrace(workspaceId, attemptId) {
      const row = select.get(workspaceId, attemptId) as Row | undefined
      return row === undefined ? null : (JSON.parse(row.trace) as CallTrace)
    },
  }
}

/** Inside the transaction that ends the attempt. */
export function traceWriter(connection: Connection) {
  const insert = connection.prepare(
    'INSERT OR REPLACE INTO traces (attempt_id, workspace_id, batch_id, trace) VALUES (?, ?, ?, ?)',
  )
  const forget = connection.prepare('DELETE FROM traces WHERE id <= ?')
  return (row: Row, trace: CallTrace): void => {
    const { lastInsertRowid } = insert.run(row.id, row.workspace_id, row.batch_id, JSON.stringify(trace))
    forget.run(Number(lastInsertRowid) - maxTraces)
  }
}
