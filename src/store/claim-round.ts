// What one claim has counted, given and learnt so far: open attempts and free places by scope, and when to look again.
import { isOpen } from '../domain/calling-window.ts'
import type { Claim, ClaimRequest } from './dispatch-records.ts'
import type { GatheredChanges } from './progress-changes.ts'
import type { Row } from './rows.ts'
import { type RunningBatch, scopesOf } from './running-batch.ts'

/** The number is being called by another batch: look again after this. */
export const numberBusyRetryMs = 2_000

export type Due = 'waiting' | 'queued'

/** The bound of one claim is shared like any other limit, or the first batch would take it all. */
const wholeClaim = 'claim'

export class ClaimRound<Changes extends GatheredChanges> {
  readonly request: ClaimRequest
  readonly leaseUntil: number
  readonly claims: Claim[] = []
  readonly changes: Changes
  readonly queues = new Map<number, { queued: number; waiting: number }>()
  /** Free places by scope; a scope without a limit is not in it. */
  readonly free = new Map<string, number>()
  /** Rates whose next slot lies beyond the horizon. */
  readonly closedRates: number[] = []
  readonly #open = new Map<string, number>()
  /** Claimed and not placed yet, by phone number. */
  readonly #claimed = new Map<number, number>()
  readonly #zones = new Map<number, string[]>()
  wakeAt: number | null = null
  more = false

  /** `storeNow`: leases go by the store's time, not by the node's. */
  constructor(request: ClaimRequest, storeNow: number, changes: Changes) {
    this.request = request
    this.changes = changes
    this.leaseUntil = storeNow + request.leaseMs
    this.free.set(wholeClaim, request.maxClaims)
  }

  countOpen(row: Row): void {
    const attempt = {
      workspaceId: row.workspace_id,
      trunkId: row.trunk_id,
      phoneNumberId: row.phone_number_id,
      agentId: row.agent_id,
      batchId: row.batch_id,
    }
    for (const scope of scopesOf(attempt)) this.#open.set(scope, this.openOf(scope) + row.open)
    const { phone_number_id: from, claimed } = row
    if (claimed > 0) this.#claimed.set(from, this.claimedFrom(from) + claimed)
  }

  claimedFrom(phoneNumberId: number): number {
    return this.#claimed.get(phoneNumberId) ?? 0
  }

  openOf(scope: string): number {
    return this.#open.get(scope) ?? 0
  }

  /** An open breaker lets nothing through until its time; a half-open one a single call. */
  heldByBreaker(batch: RunningBatch): boolean {
    const breakers = [
      { until: batch.trunkBreakerUntil, scope: `trunk:${batch.trunkId}` },
      { until: batch.agentBreakerUntil, scope: `agent:${batch.agentId}` },
    ]
    for (const { until, scope } of breakers) {
      if (until === null) continue
      if (until > this.request.now) {
        this.wakeBy(until)
        return true
      }
      this.#bound(scope, 1)
    }
    return false
  }

  limit(batch: RunningBatch): void {
    for (const { scope, max } of batch.limits) this.#bound(scope, max)
  }

  limitRate(scope: string, nextSlotAt: number, spacingMs: number): void {
    if (this.free.has(scope)) return
    const { now, horizonMs } = this.request
    const first = Math.max(nextSlotAt, now)
    const slots = first > now + horizonMs ? 0 : Math.floor((now + horizonMs - first) / spacingMs) + 1
    if (slots === 0) this.closedRates.push(first)
    this.free.set(scope, slots)
  }

  /** At most so many more, whatever is open. */
  limitPlaces(scope: string, places: number): void {
    this.free.set(scope, Math.min(places, this.free.get(scope) ?? places))
  }

  scopes(batch: RunningBatch): string[] {
    return [...batch.scopes, `trunk-rate:${batch.trunkId}`, `batch-rate:${batch.id}`, wholeClaim]
  }

  openZones(batch: RunningBatch): string[] {
    let zones = this.#zones.get(batch.id)
    if (zones === undefined) {
      zones = batch.zones.filter(zone => isOpen(batch.window, zone, this.request.now))
      this.#zones.set(batch.id, zones)
    }
    return zones
  }

  mayHave(batch: RunningBatch, standing: Due): boolean {
    return (this.queues.get(batch.id)?.[standing] ?? 0) > 0
  }

  add(batch: RunningBatch, standing: Due, claim: Claim): void {
    this.claims.push(claim)
    this.changes.move(batch.id, standing, 'calling')
    const queue = this.queues.get(batch.id)
    if (queue !== undefined) queue[standing]--
    for (const scope of this.scopes(batch)) {
      this.#open.set(scope, this.openOf(scope) + 1)
      const places = this.free.get(scope)
      if (places !== undefined) this.free.set(scope, places - 1)
    }
  }

  wakeBy(at: number | null): void {
    if (at !== null && (this.wakeAt === null || at < this.wakeAt)) this.wakeAt = at
  }

  #bound(scope: string, max: number): void {
    this.limitPlaces(scope, Math.max(0, max - this.openOf(scope)))
  }
}

/** A recipient whose place is reserved; `row`: as it stood in the queue. Its slot follows (`assignSlots`). */
export function toClaim(
  batch: RunningBatch,
  row: Row,
  { phoneNumberId, callerId }: Pick<Claim, 'phoneNumberId' | 'callerId'>,
  attemptId: number,
  now: number,
): Claim {
  return {
    attemptId,
    workspaceId: batch.workspaceId,
    batchId: batch.id,
    recipientId: row.id,
    trunkId: batch.trunkId,
    phoneNumberId,
    agentId: batch.agentId,
    number: row.number,
    callerId,
    zone: row.zone,
    variablesJson: row.variables,
    ordinal: row.attempts + 1,
    putBacks: row.put_backs,
    firstPutBackAt: row.first_put_back_at,
    slotAt: now,
    dialBefore: null,
    trunkSpacingMs: batch.trunkSpacingMs,
    batchSpacingMs: batch.batchSpacingMs,
    ringTimeoutMs: batch.ringTimeoutMs,
    maxCallMs: batch.maxCallMs,
    record: batch.record,
    trace: batch.trace,
    answeringMachine: batch.answeringMachine,
    retry: batch.retry,
  }
}
