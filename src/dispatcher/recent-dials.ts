// Each trunk's last calls in the order of their dials: what tells a full trunk from telephones that are off.
import { type Burst, burstRule, type DialledCall, isFull, standing } from '../domain/refusal-burst.ts'

/** At 1,000 calls a second an immediate refusal is still found among them. */
const keptCalls = 1_024

interface TrunkCalls {
  /** Ring: call number n stands at n modulo `keptCalls`. */
  ring: DialledCall[]
  dialled: number
  fullAt: number | null
}

/** Notes that the call met an immediate 480; tells how that stands. */
export type NoteRefusal = () => Omit<Burst, 'putBacks'>

export class RecentDials {
  readonly #byTrunk = new Map<number, TrunkCalls>()

  dialled(trunkId: number, dialledAt: number): NoteRefusal {
    const trunk = this.#byTrunk.getOrInsertComputed(trunkId, () => ({ ring: [], dialled: 0, fullAt: null }))
    const number = trunk.dialled++
    const call: DialledCall = { dialledAt, isImmediate480: false }
    trunk.ring[number % keptCalls] = call
    return () => {
      call.isImmediate480 = true
      const burst = standing(callsUpTo(trunk, number), trunk.fullAt)
      if (isFull(burst)) trunk.fullAt = dialledAt
      return burst
    }
  }
}

/** None, when so many were dialled since that they are not kept any more. */
function callsUpTo({ ring, dialled }: TrunkCalls, number: number): DialledCall[] {
  const first = Math.max(0, number - burstRule.calls + 1)
  if (dialled - first > keptCalls) return []
  return Array.from({ length: number - first + 1 }, (_, at) => ring[(first + at) % keptCalls]!)
}
