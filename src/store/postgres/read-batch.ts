// A batch with its progress, as every family reads it.
import type { Batch } from '../../domain/batch.ts'
import { progressColumns, toBatch } from '../rows.ts'
import { columns } from './columns.ts'
import type { Reader } from './transaction.ts'

export const selectBatch = `SELECT ${columns('batches', 'b')}, ${progressColumns},
    (SELECT json_agg(phone_number_id ORDER BY phone_number_id)::text FROM batch_callers WHERE batch_id = b.id) AS caller_ids
  FROM batches b JOIN batch_progress p ON p.batch_id = b.id`

/** Also a batch that is importing; throws when there is none. */
export async function readBatch(reader: Reader, batchId: number): Promise<Batch> {
  const row = await reader.row(`${selectBatch} WHERE b.id = $1`, [batchId])
  if (row === undefined) throw new Error(`batch ${batchId} does not exist`)
  return toBatch(row)
}

/** null: the workspace has no such batch that anybody may see. */
export async function findBatch(reader: Reader, workspaceId: number, batchId: number): Promise<Batch | null> {
  const row = await reader.row(
    `${selectBatch} WHERE b.id = $1 AND b.workspace_id = $2 AND b.status <> 'importing'`,
    [batchId, workspaceId],
  )
  return row === undefined ? null : toBatch(row)
}
