// The CPS slots of a claim: given out in the claim's own transaction, so that nodes share a trunk's rate.
import { assignSlots } from '../assign-slots.ts'
import type { ClaimRound } from '../claim-round.ts'
import type { GatheredChanges } from '../progress-changes.ts'
import type { RunningBatch } from '../running-batch.ts'
import { databaseNow } from './database-time.ts'
import type { Reader, Transaction } from './transaction.ts'

type Round = ClaimRound<GatheredChanges>

const tables = { trunk: 'trunks', batch: 'batches' } as const
type Paced = keyof typeof tables

/**
 * How late a call may leave beside other nodes, which do not see when it leaves: the first slot of a node keeps this much
 * more distance from the last one of another. A call that is later misses its slot and is claimed again.
 */
const handOverMs = 150

/** A node that was silent for so long dials nothing: its leases have run out. */
const nodeAliveMs = 60_000

export interface Slots {
  /** Where the next slot begins for this node, epoch ms. */
  begin(kind: Paced, id: number): number
  /** Whether another node may be calling. */
  isShared: boolean
}

/** The slots of what is paced among these, which nobody else moves: their workspaces are locked. */
export async function readSlots(
  reader: Reader,
  round: Round,
  batches: readonly RunningBatch[],
): Promise<Slots> {
  const { nodeId, now, horizonMs } = round.request
  const paced = {
    trunk: batches.filter(({ trunkSpacingMs }) => trunkSpacingMs > 0).map(({ trunkId }) => trunkId),
    batch: batches.filter(({ batchSpacingMs }) => batchSpacingMs > 0).map(({ id }) => id),
  }
  if (paced.trunk.length + paced.batch.length === 0) return { begin: () => 0, isShared: false }
  const read = async (kind: Paced): Promise<Map<number, number>> => {
    // A node that has slots ahead of it goes on with them: to take turns would cost the hand-over each time. When it stops,
    // or dies, its last slot passes.
    const rows = await reader.rows(
      `SELECT id, next_slot_at + CASE WHEN slot_node = $2 THEN 0 WHEN next_slot_at > $3 THEN ${handOverMs} + $4
         ELSE ${handOverMs} END AS at FROM ${tables[kind]} WHERE id = ANY ($1::bigint[])`,
      [paced[kind], nodeId, now, horizonMs],
    )
    return new Map(rows.map(row => [row.id, row.at]))
  }
  const [trunk, batch, others] = await Promise.all([
    read('trunk'),
    read('batch'),
    reader.rows(
      `SELECT 1 FROM nodes WHERE id <> $1 AND role <> 'api' AND seen_at > ${databaseNow} - $2::bigint LIMIT 1`,
      [nodeId, nodeAliveMs],
    ),
  ])
  const begins = { trunk, batch }
  return { begin: (kind, id) => begins[kind].get(id) ?? 0, isShared: others.length > 0 }
}

/** Gives each claim on a paced trunk or batch its slot, and keeps where the next one starts. The batches of the claims are
 * locked already (their counters). */
export async function keepSlots(tx: Transaction, round: Round, { begin, isShared }: Slots): Promise<void> {
  const { slotted, next } = assignSlots(round, begin)
  if (slotted.length === 0) return
  if (isShared) for (const claim of slotted) claim.dialBefore = claim.slotAt + handOverMs
  await Promise.all([
    tx.change(
      `UPDATE open_attempts o SET slot_at = s.slot_at FROM unnest($1::bigint[], $2::double precision[]) AS s (id, slot_at)
       WHERE o.id = s.id`,
      [slotted.map(({ attemptId }) => attemptId), slotted.map(({ slotAt }) => slotAt)],
    ),
    moveSlots(tx, 'trunk', [...next.trunk], round.request.nodeId),
    moveSlots(tx, 'batch', [...next.batch], round.request.nodeId),
  ])
}

/** Never earlier than they are. `nodeId`: whom the slots before them were given to; null: whom they were. */
export async function moveSlots(
  tx: Transaction,
  kind: Paced,
  slots: readonly (readonly [id: number, at: number])[],
  nodeId: string | null,
): Promise<void> {
  if (slots.length === 0) return
  await tx.change(
    `UPDATE ${tables[kind]} t SET next_slot_at = greatest(t.next_slot_at, s.at), slot_node = coalesce($3, t.slot_node)
     FROM (SELECT id, max(at) AS at FROM unnest($1::bigint[], $2::double precision[]) AS s (id, at) GROUP BY id) s
     WHERE t.id = s.id`,
    [slots.map(([id]) => id), slots.map(([, at]) => at), nodeId],
  )
}
