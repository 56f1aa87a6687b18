// Claims whose time has come, on their way through the second commit: group after group, and each call is dialled behind it.

import type { Clock } from '../runtime/clock.ts'
import type { Logger } from '../runtime/logger.ts'
import type { Claim, PlaceVerdict } from '../store/dispatch-records.ts'
import type { Store } from '../store/store.ts'
import type { KnownResources } from './known-resources.ts'
import type { Instant, Leases } from './leases.ts'
import type { RunningCalls } from './running-calls.ts'

export interface PlacerDeps {
  store: Pick<Store, 'placeCalls'>
  clock: Clock
  logger: Logger
  nodeId: string
  /** The next group waits for the claim in between; else it follows at once. Default: true. */
  alone?: boolean
  known: KnownResources
  leases: Leases
  running: RunningCalls
  /** False once we were told to stop. */
  isCalling(): boolean
  /** A place was given back: it may be somebody else's. */
  onReturned(): void
  onFailure(error: unknown): void
}

export class Placer {
  readonly #deps: PlacerDeps
  #ready: Claim[] = []
  #settled: Promise<void> = Promise.resolve()
  #isPlacing = false
  #hasFailed = false

  constructor(deps: PlacerDeps) {
    this.#deps = deps
  }

  /** How many wait for their turn. */
  get size(): number {
    return this.#ready.length
  }

  get isPlacing(): boolean {
    return this.#isPlacing
  }

  /** The last group could not be placed and waits for the next start. */
  get hasFailed(): boolean {
    return this.#hasFailed
  }

  /** Resolves when the group that is under way has been placed or has failed. */
  get settled(): Promise<void> {
    return this.#settled
  }

  add(claim: Claim): void {
    this.#ready.push(claim)
  }

  /** Whoever is taken will not be placed. */
  takeAll(): Claim[] {
    const claims = this.#ready
    this.#ready = []
    return claims
  }

  /** Places what is ready, unless a group is under way: then what is ready comes after it. */
  start(): void {
    if (this.#isPlacing || this.#ready.length === 0 || !this.#deps.isCalling()) return
    this.#isPlacing = true
    this.#settled = this.#placeGroup()
  }

  async #placeGroup(): Promise<void> {
    try {
      await this.#place()
      this.#hasFailed = false
    } catch (error) {
      this.#hasFailed = true
      this.#deps.onFailure(error)
    }
    this.#isPlacing = false
    if (this.#deps.alone === false && !this.#hasFailed) this.start()
  }

  /** The second commit, immediately before the dial. */
  async #place(): Promise<void> {
    const { store, clock, nodeId, known, leases, running, onReturned } = this.#deps
    // Claims whose slot comes while these are learnt wait for the next group.
    const claims = this.takeAll()
    const calls = claims.map(({ attemptId }) => ({ attemptId, callId: `${nodeId}-${attemptId}` }))
    let verdicts: PlaceVerdict[]
    let askedAt: Instant
    try {
      await known.learn(claims)
      askedAt = leases.now()
      verdicts = await store.placeCalls(calls, nodeId, clock.now())
    } catch (error) {
      // Nothing was placed: they are tried again, or go back when their lease has run out.
      this.#ready.unshift(...claims)
      throw error
    }
    for (const [index, claim] of claims.entries())
      if (verdicts[index] === 'placed') running.dialWhenSpaced(claim, calls[index]!.callId, askedAt)
      else this.#notPlaced(claim, verdicts[index]!)
    if (verdicts.some(verdict => verdict !== 'placed')) onReturned()
  }

  #notPlaced({ attemptId }: Claim, verdict: PlaceVerdict): void {
    this.#deps.leases.release(attemptId)
    this.#deps.logger.debug({ attemptId, verdict }, 'put back before the dial')
  }
}
