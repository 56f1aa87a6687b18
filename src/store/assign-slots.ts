// CPS slots: each claim on a paced trunk or batch has an instant of its own, spaced by the rate.
import type { ClaimRound } from './claim-round.ts'
import type { Claim } from './dispatch-records.ts'
import type { GatheredChanges } from './progress-changes.ts'

type Paced = 'trunk' | 'batch'

/**
 * Sets `slotAt` of the round's claims, batches in turn. `nextSlotAt` is where a trunk's or a batch's next slot begins;
 * returns the claims that were given one, and where the next ones begin now.
 */
export function assignSlots(
  round: ClaimRound<GatheredChanges>,
  nextSlotAt: (kind: Paced, id: number) => number,
): { slotted: Claim[]; next: Record<Paced, Map<number, number>> } {
  const next = { trunk: new Map<number, number>(), batch: new Map<number, number>() }
  const slotted: Claim[] = []
  for (const claim of inTurns(round.claims)) {
    const { trunkId, batchId, trunkSpacingMs, batchSpacingMs } = claim
    if (trunkSpacingMs === 0 && batchSpacingMs === 0) continue
    const trunkAt = trunkSpacingMs > 0 ? (next.trunk.get(trunkId) ?? nextSlotAt('trunk', trunkId)) : 0
    const batchAt = batchSpacingMs > 0 ? (next.batch.get(batchId) ?? nextSlotAt('batch', batchId)) : 0
    claim.slotAt = Math.max(round.request.now, trunkAt, batchAt)
    slotted.push(claim)
    if (trunkSpacingMs > 0) next.trunk.set(trunkId, claim.slotAt + trunkSpacingMs)
    if (batchSpacingMs > 0) next.batch.set(batchId, claim.slotAt + batchSpacingMs)
  }
  // Half a horizon early, so that several slots are reserved at once where they are close.
  const early = round.request.horizonMs / 2
  for (const at of [...next.trunk.values(), ...next.batch.values(), ...round.closedRates])
    round.wakeBy(at - early)
  return { slotted, next }
}

/** First of each batch, then second of each, …: batches on one paced trunk take turns. */
function inTurns(claims: readonly Claim[]): Claim[] {
  const seen = new Map<number, number>()
  return claims
    .map(claim => {
      const turn = seen.get(claim.batchId) ?? 0
      seen.set(claim.batchId, turn + 1)
      return { claim, turn }
    })
    .sort((one, other) => one.turn - other.turn)
    .map(({ claim }) => claim)
}
