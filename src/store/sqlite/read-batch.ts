// A batch with its progress, as every family reads it.
import type { Batch } from '../../domain/batch.ts'
import { progressColumns, type Row, toBatch } from '../rows.ts'
import type { Connection } from './connection.ts'

export const selectBatch = `SELECT b.*, ${progressColumns},
    (SELECT json_group_array(phone_number_id) FROM batch_callers WHERE batch_id = b.id) AS caller_ids
  FROM batches b JOIN batch_progress p ON p.batch_id = b.id`

/** Also a batch that is importing; throws when there is none. */
export function readBatch(connection: Connection, batchId: number): Batch {
  const row = connection.prepare(`${selectBatch} WHERE b.id = ?`).get(batchId) as Row | undefined
  if (row === undefined) throw new Error(`batch ${batchId} does not exist`)
  return toBatch(row)
}
