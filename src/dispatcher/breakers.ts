// What calls tell about their trunk and agent: breakers that open and close, a trunk that is slowed down and recovers.

import {
  agentBreakerRule,
  type BreakerEvent,
  type BreakerRule,
  type BreakerState,
  breaker,
  restoredBreaker,
  trunkBreakerRule,
} from '../domain/breaker.ts'
import type { Outcome } from '../domain/outcome.ts'
import { slowDown, slowDownEveryMs, speedUp, speedUpEveryMs } from '../domain/pacing.ts'
import type { Clock } from '../runtime/clock.ts'
import type { Logger } from '../runtime/logger.ts'
import type { Claim } from '../store/dispatch-records.ts'
import type { Store } from '../store/store.ts'
import type { KnownResources } from './known-resources.ts'

/** Over which the rate of a trunk is observed, ms. */
const observedMs = 1_000

interface TrunkPace {
  /** Ends of recent calls, epoch ms: how fast the trunk was really used. */
  recent: number[]
  slowed: number | null
  slowedAt: number
}

export class Breakers {
  readonly #store: Store
  readonly #clock: Clock
  readonly #known: KnownResources
  readonly #logger: Logger
  readonly #trunks = new Map<number, BreakerState>()
  readonly #agents = new Map<number, BreakerState>()
  readonly #paces = new Map<number, TrunkPace>()

  constructor(store: Store, clock: Clock, known: KnownResources, logger: Logger) {
    this.#store = store
    this.#clock = clock
    this.#known = known
    this.#logger = logger
  }

  /** Learns from an outcome; what it changes is written in the transaction that records the outcome. */
  observe(claim: Claim, outcome: Outcome): void {
    this.#observeTrunk(claim, outcome)
    this.#observeAgent(claim, outcome)
    this.#observePace(claim.trunkId, outcome.consequence === 'put-back')
  }

  #observeTrunk({ trunkId, number }: Claim, { consequence, disposition, cause }: Outcome): void {
    const state = this.#trunks.get(trunkId) ?? restoredBreaker(this.#known.trunk(trunkId).breakerUntil)
    const event: BreakerEvent =
      consequence === 'open-trunk-breaker'
        ? { kind: 'failed', destination: number }
        : consequence === 'put-back' || disposition === 'lost' || disposition === 'cancelled'
          ? { kind: 'inconclusive' }
          : { kind: 'worked' }
    const next = this.#next(state, event, trunkBreakerRule)
    this.#trunks.set(trunkId, next)
    if (next.until === state.until) return
    const reason = next.until === null ? null : cause
    this.#tell(
      'trunk',
      trunkId,
      next.until,
      this.#store.setTrunkBreaker(trunkId, next.until, reason, this.#clock.now()),
    )
  }

  #observeAgent({ agentId, number }: Claim, { disposition, cause }: Outcome): void {
    const state = this.#agents.get(agentId) ?? restoredBreaker(this.#known.agent(agentId).breakerUntil)
    const event: BreakerEvent =
      disposition === 'agent-failure'
        ? { kind: 'failed', destination: number }
        : { kind: disposition === 'answered' ? 'worked' : 'inconclusive' }
    const next = this.#next(state, event, agentBreakerRule)
    this.#agents.set(agentId, next)
    if (next.until === state.until) return
    const reason = next.until === null ? null : cause
    this.#tell(
      'agent',
      agentId,
      next.until,
      this.#store.setAgentBreaker(agentId, next.until, reason, this.#clock.now()),
    )
  }

  #next(state: BreakerState, event: BreakerEvent, rule: BreakerRule): BreakerState {
    return breaker(state, event, this.#clock.now(), rule)
  }

  #observePace(trunkId: number, refused: boolean): void {
    const now = this.#clock.now()
    const pace = this.#pace(trunkId)
    pace.recent.push(now)
    if (!refused) return
    pace.recent = pace.recent.filter(at => at > now - observedMs)
    if (now - pace.slowedAt < slowDownEveryMs) return
    pace.slowed = slowDown(pace.slowed, (pace.recent.length * 1_000) / observedMs)
    pace.slowedAt = now
    this.#writePace(trunkId, pace)
    this.#recoverLater(trunkId, pace)
  }

  #pace(trunkId: number): TrunkPace {
    let pace = this.#paces.get(trunkId)
    if (pace === undefined) {
      const slowed = this.#known.trunk(trunkId).slowedCallsPerSecond
      pace = { recent: [], slowed, slowedAt: Number.NEGATIVE_INFINITY }
      this.#paces.set(trunkId, pace)
      if (slowed !== null) this.#recoverLater(trunkId, pace)
    }
    if (pace.recent.length > 10_000) pace.recent = pace.recent.slice(-5_000)
    return pace
  }

  /** A step faster after a while without refusals, until it is not slowed any more. */
  #recoverLater(trunkId: number, pace: TrunkPace): void {
    const slowedAt = pace.slowedAt
    this.#clock.at(this.#clock.now() + speedUpEveryMs, () => {
      if (pace.slowed === null || pace.slowedAt !== slowedAt) return
      pace.slowed = speedUp(pace.slowed, this.#known.trunk(trunkId).callsPerSecond)
      this.#writePace(trunkId, pace)
      if (pace.slowed !== null) this.#recoverLater(trunkId, pace)
    })
  }

  #writePace(trunkId: number, { slowed }: TrunkPace): void {
    this.#logger.info(
      { trunkId, callsPerSecond: slowed },
      slowed === null ? 'trunk at full speed' : 'trunk slowed',
    )
    this.#settle(this.#store.setTrunkSlowed(trunkId, slowed, this.#clock.now()))
  }

  #tell(what: string, id: number, until: number | null, write: Promise<void>): void {
    this.#logger.warn({ [`${what}Id`]: id, until }, `${what} breaker ${until === null ? 'closed' : 'opened'}`)
    this.#settle(write)
  }

  /** A breaker that could not be written still holds in this process; the next change writes it again. */
  #settle(write: Promise<void>): void {
    write.catch(error => this.#logger.error({ err: error }, 'a breaker or rate could not be stored'))
  }
}
