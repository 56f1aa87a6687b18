// Who may be called next and when: fair shares of free places, spacing of calls, and when to slow down or stop calling.

export interface PlaceSeeker {
  id: number
  /** Every scope in which its calls are counted, e.g. workspace, trunk, caller ID, agent, batch. */
  scopes: readonly string[]
  /** Open attempts now. */
  open: number
  /** Recipients that are due now. */
  wanted: number
  /** Its share beside the others; 1 when absent. */
  weight?: number
}

interface Candidate {
  seeker: PlaceSeeker
  scopes: readonly string[]
  given: number
  /** Open and given places per weight: the smallest is served next. */
  load: number
  /** Place in the given order: decides between equal loads. */
  rank: number
}

/**
 * How many places each batch gets (batches that get none are absent). Max-min fair: the next place goes to the batch
 * with the fewest open and given places per weight that still wants one and may have it; equals take turns in the order
 * given, which the caller rotates. So 10 rows never wait behind a million. No scope's free count is ever passed, and
 * no batch is left wanting while all its scopes have room. A scope that `free` does not name has no limit.
 * O((places + batches) · log batches): a scope only fills, so a batch that is turned away once is dropped for good.
 */
export function shareFreePlaces(
  batches: readonly PlaceSeeker[],
  free: ReadonlyMap<string, number>,
): Map<number, number> {
  const left = new Map(free)
  const heap = batches.filter(seeker => seeker.wanted > 0).map(candidateOf)
  for (let at = (heap.length >> 1) - 1; at >= 0; at--) sink(heap, at)
  const shares = new Map<number, number>()
  while (heap.length > 0) {
    const next = heap[0]!
    if (!takePlace(next, left)) {
      dropFirst(heap)
      continue
    }
    shares.set(next.seeker.id, next.given)
    if (next.given >= next.seeker.wanted) dropFirst(heap)
    else sink(heap, 0)
  }
  return shares
}

function candidateOf(seeker: PlaceSeeker, rank: number): Candidate {
  return { seeker, scopes: [...new Set(seeker.scopes)], given: 0, load: seeker.open / weightOf(seeker), rank }
}

function weightOf({ weight = 1 }: PlaceSeeker): number {
  return weight > 0 ? weight : 1
}

/** Takes one place in all scopes of the candidate, or none. */
function takePlace(candidate: Candidate, left: Map<string, number>): boolean {
  for (const scope of candidate.scopes) if ((left.get(scope) ?? 1) < 1) return false
  for (const scope of candidate.scopes) {
    const places = left.get(scope)
    if (places !== undefined) left.set(scope, places - 1)
  }
  candidate.given++
  candidate.load = (candidate.seeker.open + candidate.given) / weightOf(candidate.seeker)
  return true
}

function dropFirst(heap: Candidate[]): void {
  const last = heap.pop()!
  if (heap.length === 0) return
  heap[0] = last
  sink(heap, 0)
}

function sink(heap: Candidate[], from: number): void {
  const sinking = heap[from]!
  let at = from
  for (let child = 2 * at + 1; child < heap.length; child = 2 * at + 1) {
    if (child + 1 < heap.length && isBefore(heap[child + 1]!, heap[child]!)) child++
    if (isBefore(sinking, heap[child]!)) break
    heap[at] = heap[child]!
    at = child
  }
  heap[at] = sinking
}

function isBefore(one: Candidate, other: Candidate): boolean {
  return one.load < other.load || (one.load === other.load && one.rank < other.rank)
}

// ---- calls per second ----

/** Slots lie on a grid of 1/1024 ms: sums of epoch milliseconds stay exact in a double (41 + 10 bits of 53). */
const gridPerMs = 1024

/** Time between two calls at this rate, ms, rounded up to the grid: never faster than asked, by at most 0.001 ms slower. */
export function slotIntervalMs(callsPerSecond: number): number {
  if (!(callsPerSecond > 0)) return Number.POSITIVE_INFINITY
  return Math.ceil((1000 / callsPerSecond) * gridPerMs) / gridPerMs
}

/**
 * Reserves CPS slots (GCRA with burst 1): at most `max`, none later than `now + horizonMs`, none before `nextSlotAt`,
 * each at least 1000/callsPerSecond after the one before. Time that passed unused is not caught up.
 * Times are epoch ms and may be fractional: whoever dials on whole milliseconds rounds up. Returns where the next
 * reservation starts; a rate of 0 gives no slots.
 */
export function reserveSlots(
  nextSlotAt: number,
  callsPerSecond: number,
  now: number,
  horizonMs: number,
  max: number,
): { slots: number[]; nextSlotAt: number } {
  const intervalMs = slotIntervalMs(callsPerSecond)
  const slots: number[] = []
  if (!Number.isFinite(intervalMs)) return { slots, nextSlotAt }
  let slot = Math.max(nextSlotAt, now)
  while (slots.length < max && slot <= now + horizonMs) {
    slots.push(slot)
    slot += intervalMs
  }
  return { slots, nextSlotAt: slots.length === 0 ? nextSlotAt : slot }
}

// ---- a carrier that asks us to slow down (AIMD) ----

/** However often the carrier refuses, one call in five seconds still goes out: else we would never learn that it recovered. */
export const minSlowedCallsPerSecond = 0.2
/** Refusals of one burst tell one thing: halve at most once in this time. */
export const slowDownEveryMs = 1_000
/** How long a trunk must be free of refusals before it is sped up by one step. */
export const speedUpEveryMs = 5_000
const speedUpStepCallsPerSecond = 1
/** A trunk without a rate of its own counts as recovered above this. */
const recoveredCallsPerSecond = 50

/**
 * The rate after the carrier said "slow down": half of what it refused. `current` is the slowed rate so far (null: not
 * slowed), `observed` the rate at which calls were really placed when it refused.
 */
export function slowDown(current: number | null, observed: number): number {
  const refused = Math.min(
    current ?? Number.POSITIVE_INFINITY,
    observed > 0 ? observed : Number.POSITIVE_INFINITY,
  )
  return Number.isFinite(refused) ? Math.max(minSlowedCallsPerSecond, refused / 2) : minSlowedCallsPerSecond
}

/** The rate after `speedUpEveryMs` without a refusal; null: back at the trunk's own rate (`own`; null: it has none). */
export function speedUp(current: number, own: number | null): number | null {
  const faster = current + speedUpStepCallsPerSecond
  return faster >= (own ?? recoveredCallsPerSecond) ? null : faster
}

// ---- a batch that should not go on ----

/** A batch whose first calls nearly all fail, for no fault of the people called, pauses itself. */
export const selfPauseRule = { sample: 50, ratio: 0.8 } as const

/**
 * Ask once, when `endedAttempts` reaches the sample: who resumes such a batch has decided. Counts as in `Progress`;
 * put-backs are not in them.
 */
export function firstCallsFailed(
  progress: { endedAttempts: number; failedAttempts: number },
  rule: { sample: number; ratio: number } = selfPauseRule,
): boolean {
  return (
    progress.endedAttempts >= rule.sample && progress.failedAttempts >= rule.ratio * progress.endedAttempts
  )
}
