// The SIP messages of calls: written with the call's end whatever end that was, the newest kept.
import type { CallTrace } from '../../domain/call-trace.ts'
import { maxTraces } from '../limits.ts'
import type { Store } from '../store.ts'
import type { Connection } from './connection.ts'
import type { Transaction } from './transaction.ts'

export function traceStatements(connection: Connection): Pick<Store, 'findTrace'> {
  return {
    async findTrace(workspaceId, attemptId) {
      const row = await connection.row(
        'SELECT trace FROM traces WHERE workspace_id = $1 AND attempt_id = $2',
        [workspaceId, attemptId],
      )
      return row === undefined ? null : (JSON.parse(row.trace) as CallTrace)
    },
  }
}

export interface KeptTrace {
  attemptId: number
  workspaceId: number
  batchId: number
  trace: CallTrace
}

/** Inside the transaction that ends the attempts. */
export async function keepTraces(tx: Transaction, kept: readonly KeptTrace[]): Promise<void> {
  if (kept.length === 0) return
  await tx.change(
    `INSERT INTO traces (attempt_id, workspace_id, batch_id, trace)
     SELECT * FROM unnest($1::bigint[], $2::bigint[], $3::bigint[], $4::text[])
     ON CONFLICT (attempt_id) DO UPDATE SET trace = excluded.trace`,
    [
      kept.map(({ attemptId }) => attemptId),
      kept.map(({ workspaceId }) => workspaceId),
      kept.map(({ batchId }) => batchId),
      kept.map(({ trace }) => JSON.stringify(trace)),
    ],
  )
  await tx.change('DELETE FROM traces WHERE id <= (SELECT max(id) FROM traces) - $1', [maxTraces])
}
