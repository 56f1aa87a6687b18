// The CPS slots of a claim: given out in the claim's own transaction, so that nodes share a trunk's rate.
import { assignSlots } from '../assign-slots.ts'
import type { ClaimRound } from '../claim-round.ts'
import type { Claim } from '../dispatch-records.ts'
import type { GatheredChanges } from '../progress-changes.ts'
import type { Row } from '../rows.ts'
import { databaseNow } from './database-time.ts'
import type { Reader, Transaction } from './transaction.ts'

/** A node that was silent for so long dials nothing: its leases have run out. */
const nodeAliveMs = 60_000

/**
 * Gives each claim on a paced trunk or batch its slot, and keeps where the next one starts. Beside other nodes a slot is
 * missed, not used late: what follows it may be theirs. The batches of the claims are locked already (their counters).
 */
export async function keepSlots(tx: Transaction, round: ClaimRound<GatheredChanges>): Promise<void> {
  const paced = round.claims.filter(
    ({ trunkSpacingMs, batchSpacingMs }) => trunkSpacingMs > 0 || batchSpacingMs > 0,
  )
  const begins = await nextSlots(tx, paced)
  const { slotted, next } = assignSlots(round, (kind, id) => begins[kind].get(id) ?? 0)
  if (slotted.length === 0) return
  if (await isShared(tx, round.request.nodeId))
    for (const claim of slotted) claim.dialBefore = claim.slotAt + spacingOf(claim)
  await Promise.all([
    tx.change(
      `UPDATE open_attempts o SET slot_at = s.slot_at FROM unnest($1::bigint[], $2::double precision[]) AS s (id, slot_at)
       WHERE o.id = s.id`,
      [slotted.map(({ attemptId }) => attemptId), slotted.map(({ slotAt }) => slotAt)],
    ),
    ...(['trunk', 'batch'] as const).map(kind => moveSlots(tx, kind, [...next[kind]])),
  ])
}

const tables = { trunk: 'trunks', batch: 'batches' } as const
type Paced = keyof typeof tables

/** Never earlier than they are. */
export async function moveSlots(
  tx: Transaction,
  kind: Paced,
  slots: readonly (readonly [id: number, at: number])[],
): Promise<void> {
  if (slots.length === 0) return
  await tx.change(
    `UPDATE ${tables[kind]} t SET next_slot_at = greatest(t.next_slot_at, s.at)
     FROM (SELECT id, max(at) AS at FROM unnest($1::bigint[], $2::double precision[]) AS s (id, at) GROUP BY id) s
     WHERE t.id = s.id`,
    [slots.map(([id]) => id), slots.map(([, at]) => at)],
  )
}

async function nextSlots(
  reader: Reader,
  claims: readonly Claim[],
): Promise<Record<Paced, Map<number, number>>> {
  const read = async (kind: Paced, ids: readonly number[]) => {
    if (ids.length === 0) return new Map<number, number>()
    const rows = await reader.rows(
      `SELECT id, next_slot_at AS at FROM ${tables[kind]} WHERE id = ANY ($1::bigint[])`,
      [[...new Set(ids)]],
    )
    return new Map(rows.map((row: Row) => [row.id as number, row.at as number]))
  }
  const [trunk, batch] = await Promise.all([
    read(
      'trunk',
      claims.map(({ trunkId }) => trunkId),
    ),
    read(
      'batch',
      claims.map(({ batchId }) => batchId),
    ),
  ])
  return { trunk, batch }
}

/** Whether another node may be calling. */
async function isShared(reader: Reader, nodeId: string): Promise<boolean> {
  const other = await reader.row(
    `SELECT 1 FROM nodes WHERE id <> $1 AND role <> 'api' AND seen_at > ${databaseNow} - $2::bigint LIMIT 1`,
    [nodeId, nodeAliveMs],
  )
  return other !== undefined
}

const spacingOf = ({ trunkSpacingMs, batchSpacingMs }: Claim): number =>
  Math.min(...[trunkSpacingMs, batchSpacingMs].filter(spacingMs => spacingMs > 0))
