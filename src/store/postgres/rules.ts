// What decides over running batches beside counts, read anew in each transaction: other nodes change it too.
import { type RunningBatch, selectCaller, selectRunning, toRunningBatch } from '../running-batch.ts'
import type { Reader } from './transaction.ts'

/** Which batches are meant: `$1` stands for `ids`. */
export interface WhichBatches {
  /** A subquery of batch ids. */
  batchIds: string
  ids: readonly number[]
}

/**
 * Running batches among these, by id. One statement, because each sees what was committed before it: a batch that another
 * node took its last people from between two of them would come without its numbers.
 */
export async function runningBatches(
  reader: Reader,
  { batchIds, ids }: WhichBatches,
): Promise<ReadonlyMap<number, RunningBatch>> {
  const rows = await reader.rows(
    `SELECT running.*, ARRAY(SELECT zone FROM batch_zones WHERE batch_id = running.id ORDER BY zone) AS zones,
       (SELECT json_agg(caller ORDER BY caller."phoneNumberId") FROM (${selectCaller} WHERE id = ANY (ARRAY(
          SELECT phone_number_id FROM batch_callers WHERE batch_id = running.id UNION ALL SELECT running.phone_number_id
          WHERE NOT EXISTS (SELECT FROM batch_callers WHERE batch_id = running.id)))) caller) AS callers
     FROM (${selectRunning} AND b.id = ANY (ARRAY(${batchIds}))) AS running ORDER BY running.id`,
    [ids],
  )
  return new Map(rows.map(row => [row.id, toRunningBatch(row, row.zones, row.callers)]))
}
