// The check immediately before the dial: everything that may have changed since the claim is looked at again.
import { isOpen } from '../domain/calling-window.ts'
import type { PlaceVerdict } from './dispatch-records.ts'
import type { Row } from './rows.ts'
import { attemptScopes, type BatchCaller, type RunningBatch, scopesOf } from './running-batch.ts'

interface Recheck {
  /** Of open_attempts. */
  row: Row
  /** undefined: it does not run any more. */
  batch: RunningBatch | undefined
  now: number
  /** Leases go by the store's time. */
  storeNow: number
  placing: Placing
  /** Whether the number is on the suppression list. */
  isOnList(): boolean
}

export function recheckClaim({ row, batch, now, storeNow, placing, isOnList }: Recheck): PlaceVerdict {
  if (row.lease_until <= storeNow) return 'lease-lost'
  if (batch === undefined) return 'batch-not-running'
  if (batch.stopped) return 'workspace-stopped'
  if (isOnList()) return 'suppressed'
  if (!isOpen(batch.window, row.zone, now)) return 'window-closed'
  const trunkOpen = batch.trunkBreakerUntil !== null && batch.trunkBreakerUntil > now
  const agentOpen = batch.agentBreakerUntil !== null && batch.agentBreakerUntil > now
  if (trunkOpen || agentOpen) return 'breaker-open'
  for (const { scope, max } of batch.limits) if (placing.placedIn(scope) >= max) return 'over-limit'
  const caller = callerOf(row, batch)
  if (caller === undefined) return 'batch-not-running'
  const { phoneNumberId, maxConcurrentCalls: max, restingUntil } = caller
  if (restingUntil !== null && restingUntil > now) return 'caller-resting'
  if (max !== null && placing.placedIn(`caller:${phoneNumberId}`) >= max) return 'over-limit'
  return 'placed'
}

/** The number that an attempt is made from. */
export function callerOf(row: Row, batch: RunningBatch | undefined): BatchCaller | undefined {
  return batch?.callers.find(({ phoneNumberId }) => phoneNumberId === row.phone_number_id)
}

/** Where the next slots begin at the earliest after a call leaves now, or in its slot: lateness is never caught up. */
export function slotsHeldBack(
  row: Row,
  { trunkSpacingMs, batchSpacingMs }: RunningBatch,
  now: number,
  placing: Placing,
): { kind: 'trunk' | 'batch'; id: number; at: number }[] {
  const { trunk_id: trunkId, batch_id: batchId } = row
  return [
    { kind: 'trunk' as const, id: trunkId, spacingMs: trunkSpacingMs },
    { kind: 'batch' as const, id: batchId, spacingMs: batchSpacingMs },
  ]
    .filter(({ spacingMs }) => spacingMs > 0)
    .map(({ kind, id, spacingMs }) => ({
      kind,
      id,
      at: Math.max(now, row.slot_at ?? now) + spacingMs * (1 + placing.claimedIn(`${kind}:${id}`)),
    }))
}

/** Calls placed and still claimed, by scope, while a group is being placed. */
export class Placing {
  readonly #placed = new Map<string, number>()
  readonly #claimed = new Map<string, number>()

  constructor(rows: readonly Row[]) {
    for (const row of rows)
      for (const scope of scopesOf(attemptScopes(row))) {
        this.#placed.set(scope, this.placedIn(scope) + row.placed)
        this.#claimed.set(scope, this.claimedIn(scope) + row.claimed)
      }
  }

  placedIn(scope: string): number {
    return this.#placed.get(scope) ?? 0
  }

  openIn(scope: string): number {
    return this.placedIn(scope) + this.claimedIn(scope)
  }

  claimedIn(scope: string): number {
    return this.#claimed.get(scope) ?? 0
  }

  add(row: Row): void {
    this.#move(row, 1)
  }

  /** A placed call counts as claimed again. */
  takeBack(row: Row): void {
    this.#move(row, -1)
  }

  #move(row: Row, count: number): void {
    for (const scope of scopesOf(attemptScopes(row))) {
      this.#placed.set(scope, this.placedIn(scope) + count)
      this.#claimed.set(scope, this.claimedIn(scope) - count)
    }
  }
}
