// What decides over running batches beside counts, read anew in each transaction: other nodes change it too.
import type { Row } from '../rows.ts'
import { type RunningBatch, selectRunning, toRunningBatch } from '../running-batch.ts'
import type { Reader } from './transaction.ts'

/** Running batches among these, by id. */
export async function runningBatches(
  reader: Reader,
  batchIds: readonly number[],
): Promise<ReadonlyMap<number, RunningBatch>> {
  const rows = await reader.rows(
    `SELECT running.*, ARRAY(SELECT zone FROM batch_zones WHERE batch_id = running.id ORDER BY zone) AS zones
     FROM (${selectRunning} AND b.id = ANY ($1::bigint[])) AS running ORDER BY running.id`,
    [batchIds],
  )
  return new Map(rows.map((row: Row) => [row.id, toRunningBatch(row, row.zones)]))
}
