// What decides over running batches beside counts, read anew in each transaction: other nodes change it too.
import type { Row } from '../rows.ts'
import {
  type BatchCaller,
  type RunningBatch,
  selectCaller,
  selectRunning,
  toRunningBatch,
} from '../running-batch.ts'
import type { Reader } from './transaction.ts'

/** Which batches are meant: `$1` stands for `ids`. */
export interface WhichBatches {
  /** A subquery of batch ids. */
  batchIds: string
  ids: readonly number[]
}

/** Running batches among these, by id. */
export async function runningBatches(
  reader: Reader,
  { batchIds, ids }: WhichBatches,
): Promise<ReadonlyMap<number, RunningBatch>> {
  const [rows, numbers] = await Promise.all([
    reader.rows(
      `SELECT running.*, ARRAY(SELECT zone FROM batch_zones WHERE batch_id = running.id ORDER BY zone) AS zones,
         ARRAY(SELECT phone_number_id FROM batch_callers WHERE batch_id = running.id ORDER BY phone_number_id) AS caller_ids
       FROM (${selectRunning} AND b.id IN (${batchIds})) AS running ORDER BY running.id`,
      [ids],
    ),
    reader.rows(
      `${selectCaller} WHERE id IN (SELECT phone_number_id FROM batches WHERE id IN (${batchIds})
         UNION ALL SELECT phone_number_id FROM batch_callers WHERE batch_id IN (${batchIds}))`,
      [ids],
    ),
  ])
  const byId = new Map(numbers.map(row => [row.phoneNumberId as number, row as BatchCaller]))
  return new Map(rows.map(row => [row.id, toRunningBatch(row, row.zones, callersOf(row, byId))]))
}

/** Arrays of bigint come as text. */
function callersOf(
  { phone_number_id: first, caller_ids: several }: Row,
  byId: ReadonlyMap<number, BatchCaller>,
): BatchCaller[] {
  const ids: number[] = several.length === 0 ? [first] : several.map(Number)
  return ids.map(id => byId.get(id)!)
}
