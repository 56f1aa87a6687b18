// What decides over running batches beside counts, read anew in each transaction: other nodes change it too.
import type { Row } from '../rows.ts'
import { type RunningBatch, selectRunning, toRunningBatch } from '../running-batch.ts'
import type { Reader } from './transaction.ts'

/** A running batch, and where the next CPS slots of its trunk and its own begin, epoch ms. */
export interface RuledBatch extends RunningBatch {
  trunkNextSlotAt: number
  batchNextSlotAt: number
}

/** Running batches among these, by id. */
export async function runningBatches(
  reader: Reader,
  batchIds: readonly number[],
): Promise<ReadonlyMap<number, RuledBatch>> {
  const rows = await reader.rows(
    `SELECT running.*, ARRAY(SELECT zone FROM batch_zones WHERE batch_id = running.id ORDER BY zone) AS zones
     FROM (${selectRunning} AND b.id = ANY ($1::bigint[])) AS running ORDER BY running.id`,
    [batchIds],
  )
  return new Map(rows.map(row => [row.id, toRuledBatch(row)]))
}

const toRuledBatch = (row: Row): RuledBatch => ({
  ...toRunningBatch(row, row.zones),
  trunkNextSlotAt: row.trunk_next_slot_at,
  batchNextSlotAt: row.batch_next_slot_at,
})
