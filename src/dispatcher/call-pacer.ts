// Holds claims until their CPS slot, and keeps the spacing of calls as they really leave: a late call moves the next.
//
// Where other nodes share the trunk, a slot that is missed is lost, and a commit can take longer than a slot is open on a busy
// machine. There claims are placed a little before their slot, wait for it, and are confirmed when it comes.
import type { Clock, Timer } from '../runtime/clock.ts'
import type { Claim } from '../store/dispatch-records.ts'

/** How long before its slot a claim is placed that must not miss it, ms. */
const placeAheadMs = 100

/** Instants are `clock.elapsed()`. */
interface Lane {
  /** Until when calls that wait have their turn. */
  reservedAt: number
  /** When the last call really left. */
  leftAt: number
}

interface PacedLane {
  lane: Lane
  spacingMs: number
}

/** A call whose turn has to come. */
interface SpacedCall {
  dial(): void
  /** Whether what allows it is recent enough to dial on. */
  mayDial(): boolean
  /** Asks again whether it is allowed; after a no it is over. */
  confirm(): Promise<boolean>
}

export class CallPacer {
  readonly #clock: Clock
  readonly #release: (claim: Claim) => void
  readonly #held = new Map<Claim, Timer>()
  readonly #lanes = new Map<string, Lane>()

  /** `release` hands a claim on when it is time to place it. */
  constructor(clock: Clock, release: (claim: Claim) => void) {
    this.#clock = clock
    this.#release = release
  }

  get size(): number {
    return this.#held.size
  }

  /** False: the claim may be placed at once. */
  hold(claim: Claim): boolean {
    const placeAt = claim.dialBefore === null ? claim.slotAt : claim.slotAt - placeAheadMs
    if (placeAt <= this.#clock.now()) return false
    const timer = this.#clock.at(Math.ceil(placeAt), () => {
      this.#held.delete(claim)
      this.#release(claim)
    })
    this.#held.set(claim, timer)
    return true
  }

  cancelAll(): Claim[] {
    const claims = [...this.#held.keys()]
    for (const timer of this.#held.values()) timer.cancel()
    this.#held.clear()
    return claims
  }

  /** Dials now, or when the spacing to the call before has passed; then only if it is confirmed. */
  whenSpaced(claim: Claim, call: SpacedCall): void {
    const lanes = this.#lanesOf(claim)
    const now = this.#clock.elapsed()
    // No claim is placed earlier than that: a wall clock that was set back meanwhile must not hold a call for hours.
    const slot = now + Math.min(placeAheadMs, Math.max(0, claim.slotAt - this.#clock.now()))
    const turn = lanes.reduce((at, { lane, spacingMs }) => Math.max(at, lane.reservedAt + spacingMs), slot)
    for (const { lane } of lanes) lane.reservedAt = turn
    if (turn > now || !call.mayDial()) this.#wait(turn, lanes, call)
    else this.#leave(lanes, call)
  }

  #wait(turn: number, lanes: PacedLane[], call: SpacedCall): void {
    // The timer goes by another clock than the spacing: it may be early, and the call before may have left late.
    const waitMs = Math.max(1, Math.ceil(turn - this.#clock.elapsed()))
    this.#clock.at(this.#clock.now() + waitMs, async () => {
      const earliest = this.#earliest(turn, lanes)
      if (this.#clock.elapsed() < earliest) return this.#wait(earliest, lanes, call)
      if (!(await call.confirm())) return
      // The answer took its time: another call may have left meanwhile, or the answer is old already.
      const next = this.#earliest(earliest, lanes)
      if (this.#clock.elapsed() < next || !call.mayDial()) this.#wait(next, lanes, call)
      else this.#leave(lanes, call)
    })
  }

  #earliest(turn: number, lanes: PacedLane[]): number {
    return lanes.reduce((at, { lane, spacingMs }) => Math.max(at, lane.leftAt + spacingMs), turn)
  }

  #leave(lanes: PacedLane[], call: SpacedCall): void {
    const now = this.#clock.elapsed()
    for (const { lane } of lanes) {
      lane.leftAt = now
      lane.reservedAt = Math.max(lane.reservedAt, now)
    }
    call.dial()
  }

  #lanesOf({ trunkId, trunkSpacingMs, batchId, batchSpacingMs }: Claim): PacedLane[] {
    const lanes: PacedLane[] = []
    if (trunkSpacingMs > 0) lanes.push({ lane: this.#lane(`trunk:${trunkId}`), spacingMs: trunkSpacingMs })
    if (batchSpacingMs > 0) lanes.push({ lane: this.#lane(`batch:${batchId}`), spacingMs: batchSpacingMs })
    return lanes
  }

  #lane(name: string): Lane {
    let lane = this.#lanes.get(name)
    if (lane === undefined) {
      lane = { reservedAt: Number.NEGATIVE_INFINITY, leftAt: Number.NEGATIVE_INFINITY }
      this.#lanes.set(name, lane)
    }
    return lane
  }
}
