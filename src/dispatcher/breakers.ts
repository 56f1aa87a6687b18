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
import type { Clock, Timer } from '../runtime/clock.ts'
import type { Logger } from '../runtime/logger.ts'
import type { Claim } from '../store/dispatch-records.ts'
import type { Store } from '../store/store.ts'
import type { KnownResources } from './known-resources.ts'

/** Over which the rate of a trunk is observed, ms. */
const observedMs = 1_000
/** After the store failed it is asked again after this. */
const storeRetryMs = 1_000

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
  readonly #timers = new Set<Timer>()

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
    // What this node could not place says nothing of the trunk's pace.
    this.#observePace(claim.trunkId, outcome.consequence === 'put-back' && outcome.fault !== 'us')
  }

  /** Changes nothing more by itself: a slowed trunk recovers in the next life. */
  stop(): void {
    for (const timer of this.#timers) timer.cancel()
    this.#timers.clear()
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
    this.#log('trunk', trunkId, next.until)
    this.#settle(
      () => this.#store.setTrunkBreaker(trunkId, next.until, reason, this.#clock.now()),
      () => this.#trunks.get(trunkId)?.until === next.until,
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
    this.#log('agent', agentId, next.until)
    this.#settle(
      () => this.#store.setAgentBreaker(agentId, next.until, reason, this.#clock.now()),
      () => this.#agents.get(agentId)?.until === next.until,
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
    this.#later(speedUpEveryMs, () => {
      if (pace.slowed === null || pace.slowedAt !== slowedAt) return
      pace.slowed = speedUp(pace.slowed, this.#known.trunk(trunkId).callsPerSecond)
      this.#writePace(trunkId, pace)
      if (pace.slowed !== null) this.#recoverLater(trunkId, pace)
    })
  }

  #writePace(trunkId: number, pace: TrunkPace): void {
    const { slowed } = pace
    this.#logger.info(
      { trunkId, callsPerSecond: slowed },
      slowed === null ? 'trunk at full speed' : 'trunk slowed',
    )
    this.#settle(
      () => this.#store.setTrunkSlowed(trunkId, slowed, this.#clock.now()),
      () => pace.slowed === slowed,
    )
  }

  #log(what: string, id: number, until: number | null): void {
    this.#logger.warn({ [`${what}Id`]: id, until }, `${what} breaker ${until === null ? 'closed' : 'opened'}`)
  }

  /** A breaker or a rate holds once it is stored, since claims read it there: tried again until it is, or is outdated. */
  #settle(write: () => Promise<void>, isCurrent: () => boolean): void {
    write().catch(error => {
      this.#logger.error({ err: error }, 'a breaker or rate could not be stored')
      this.#later(storeRetryMs, () => isCurrent() && this.#settle(write, isCurrent))
    })
  }

  #later(ms: number, task: () => void): void {
    const timer = this.#clock.at(this.#clock.now() + ms, () => {
      this.#timers.delete(timer)
      task()
    })
    this.#timers.add(timer)
  }
}
