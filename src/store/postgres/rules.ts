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

/** Running batches among these, by id. */
export async function runningBatches(
  reader: Reader,
  batchIds: readonly number[],
): Promise<ReadonlyMap<number, RunningBatch>> {
  const rows = await reader.rows(
    `SELECT running.*, ARRAY(SELECT zone FROM batch_zones WHERE batch_id = running.id ORDER BY zone) AS zones,
       ARRAY(SELECT phone_number_id FROM batch_callers WHERE batch_id = running.id ORDER BY phone_number_id) AS caller_ids
     FROM (${selectRunning} AND b.id = ANY ($1::bigint[])) AS running ORDER BY running.id`,
    [batchIds],
  )
  const callers = await readCallers(reader, rows)
  return new Map(rows.map((row: Row) => [row.id, toRunningBatch(row, row.zones, callers(row))]))
}

async function readCallers(reader: Reader, batches: readonly Row[]): Promise<(batch: Row) => BatchCaller[]> {
  // Arrays of bigint come as text.
  const idsOf = ({ phone_number_id: first, caller_ids: several }: Row): number[] =>
    several.length === 0 ? [first] : several.map(Number)
  const rows = await reader.rows(`${selectCaller} WHERE id = ANY ($1::bigint[])`, [
    [...new Set(batches.flatMap(idsOf))],
  ])
  const byId = new Map(rows.map(row => [row.phoneNumberId as number, row as BatchCaller]))
  return batch => idsOf(batch).map(id => byId.get(id)!)
}
