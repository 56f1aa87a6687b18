// The loop: claims what may be called, places it, and listens until it has ended. Woken by what can change the answer,
// never by a poll; a sweep once a second is a safety net, and what it finds is counted (tests hold it at 0).
//
//   wake → claim (places reserved, on disk) → place (rechecked, Call-ID on disk) → dial → … → ended (on disk) → wake
import { randomUUID } from 'node:crypto'
import type { Timer } from '../runtime/clock.ts'
import { waitFor } from '../runtime/wait.ts'
import type { Claim } from '../store/dispatch-records.ts'
import { Breakers } from './breakers.ts'
import { CallPacer } from './call-pacer.ts'
import { DialogKeeper } from './dialog-keeper.ts'
import type { DispatcherDeps } from './dispatcher-deps.ts'
import { KnownResources } from './known-resources.ts'
import { leaseMs } from './leases.ts'
import { Membership } from './membership.ts'
import { OutcomeRecorder } from './outcome-recorder.ts'
import { Placer } from './placer.ts'
import { untilAccepted } from './restore-hold.ts'
import { RunningCalls } from './running-calls.ts'

/** Recipients claimed in one transaction: bounds how long it holds the event loop (about 10 ms). */
const maxClaims = 256
/** CPS slots are reserved this far ahead. */
const horizonMs = 250
const sweepEveryMs = 1_000
/** What happened on another node so recently is about to be claimed by it: measured, it takes 100 ms at most. */
const claimedWithinMs = 500
/** After the store failed (disk full, say) nothing is dialled; it is asked again after this. */
const storeRetryMs = 1_000
/** How long a call that was hung up at shutdown may take to say so. */
const hangUpGraceMs = 2_000

export interface DispatcherFigures {
  /** Calls placed since the start. */
  placed: number
  /** Calls under way. */
  running: number
  /** What only the safety net found: 0 unless a wake-up was lost. */
  sweepFound: number
  /** The store's last failure; null when the last commit succeeded. */
  storeFailure: string | null
}

export interface Dispatcher {
  /** Resolves when calls that an earlier life of this node left open are settled. */
  readonly rescued: Promise<void>
  figures(): DispatcherFigures
  /** Places nothing more, lets calls end for `graceMs`, hangs up the rest. */
  stop(options: { graceMs: number }): Promise<void>
}

/** Starts calling; without a `nodeId` it makes one. */
export function startDispatcher(deps: Omit<DispatcherDeps, 'nodeId'> & { nodeId?: string }): Dispatcher {
  const loop = new DispatchLoop({ nodeId: randomUUID(), ...deps })
  return {
    rescued: loop.start(),
    figures: () => loop.figures(),
    stop: ({ graceMs }) => loop.stop(graceMs),
  }
}

class DispatchLoop {
  readonly #deps: DispatcherDeps
  readonly #known: KnownResources
  readonly #breakers: Breakers
  readonly #recorder: OutcomeRecorder
  readonly #pacer: CallPacer
  readonly #running: RunningCalls
  readonly #membership: Membership
  readonly #placer: Placer
  #phase: 'rescuing' | 'calling' | 'stopping' = 'rescuing'
  #cycling = false
  #cycleDone: Promise<void> = Promise.resolve()
  #sweeping = false
  #wokenAgain = false
  #wakeTimer: Timer | null = null
  #wakeAt: number | null = null
  #sweepTimer: Timer | null = null
  #unsubscribe = () => {}
  #sweepFound = 0
  #storeFailure: string | null = null

  constructor(deps: DispatcherDeps) {
    const { store, clock, logger, nodeId, alone = true } = deps
    this.#deps = deps
    this.#known = new KnownResources(store)
    this.#breakers = new Breakers(store, clock, this.#known, logger)
    this.#recorder = new OutcomeRecorder({
      ...deps,
      known: this.#known,
      breakers: this.#breakers,
      onRecorded: () => this.#wake(),
      onSettled: attemptId => this.#membership.leases.release(attemptId),
      onFailure: error => this.#storeFailed(error),
    })
    this.#pacer = new CallPacer(clock, claim => {
      this.#placer.add(claim)
      this.#wake()
    })
    this.#membership = new Membership({
      ...deps,
      known: this.#known,
      load: () => this.figures(),
      phase: () => this.#phase,
      onLost: attemptIds => this.#running.lost(attemptIds),
      onExpired: attemptIds => this.#running.expired(attemptIds),
      onRescued: () => this.#wake(),
      onFailure: error => this.#storeFailed(error),
    })
    this.#running = new RunningCalls({
      ...deps,
      known: this.#known,
      recorder: this.#recorder,
      pacer: this.#pacer,
      leases: this.#membership.leases,
      ...(alone ? {} : { dialogs: new DialogKeeper(store, nodeId, error => this.#storeFailed(error)) }),
      isCalling: () => this.#phase === 'calling',
      onFailure: error => this.#storeFailed(error),
    })
    this.#placer = new Placer({
      ...deps,
      known: this.#known,
      leases: this.#membership.leases,
      running: this.#running,
      isCalling: () => this.#phase === 'calling',
      onReturned: () => this.#wake(),
      onFailure: error => this.#storeFailed(error),
    })
  }

  figures(): DispatcherFigures {
    const { placed, size: running } = this.#running
    return { placed, running, sweepFound: this.#sweepFound, storeFailure: this.#storeFailure }
  }

  async start(): Promise<void> {
    this.#unsubscribe = this.#deps.store.onWork(() => {
      this.#known.forget()
      this.#wake()
    })
    await this.#untilStoreAnswers(() => this.#membership.join())
    await this.#untilStoreAnswers(() => untilAccepted(this.#deps, () => this.#phase === 'stopping'))
    await this.#untilStoreAnswers(() => this.#membership.rescue())
    if ((this.#phase as string) === 'stopping') return
    this.#phase = 'calling'
    this.#armSweep()
    this.#wake()
  }

  /** Nothing is dialled before the node is known, a restored store is accepted and the earlier life is settled. */
  async #untilStoreAnswers(work: () => Promise<void>): Promise<void> {
    const { clock } = this.#deps
    while (this.#phase === 'rescuing') {
      try {
        return await work()
      } catch (error) {
        this.#storeFailed(error)
        await waitFor(clock, storeRetryMs)
      }
    }
  }

  async stop(graceMs: number): Promise<void> {
    this.#phase = 'stopping'
    this.#unsubscribe()
    this.#wakeTimer?.cancel()
    this.#sweepTimer?.cancel()
    await this.#cycleDone
    await this.#placer.settled
    const unplaced = [...this.#placer.takeAll(), ...this.#pacer.cancelAll()]
    // What cannot be released now is put back by the next start.
    if (unplaced.length > 0) await this.#release(unplaced).catch(error => this.#storeFailed(error))
    await this.#running.ended(graceMs)
    this.#running.hangUp()
    await this.#running.ended(hangUpGraceMs)
    this.#breakers.stop()
    await this.#recorder.settled()
    await this.#membership.leave()
  }

  /** Something may be due: run a cycle, or one more when one is under way. */
  #wake(): void {
    if (this.#phase !== 'calling') return
    if (this.#cycling) {
      this.#wokenAgain = true
      return
    }
    this.#cycling = true
    this.#cycleDone = this.#cycle()
  }

  async #cycle(): Promise<void> {
    const { alone = true } = this.#deps
    try {
      do {
        this.#wokenAgain = false
        const sweeping = this.#sweeping
        this.#sweeping = false
        const more = await this.#claim(sweeping)
        this.#placer.start()
        // With one writer claims wait for what is before them anyway; else a claim and the check before the dial go side by
        // side, and a place that is freed meanwhile does not wait for both.
        if (alone || this.#placer.size >= maxClaims) await this.#placer.settled
        if (more) this.#wokenAgain = true
      } while (this.#wokenAgain && this.#phase === 'calling' && !this.#placer.hasFailed)
      if (!this.#recorder.isBehind && !this.#placer.hasFailed) this.#storeFailure = null
    } catch (error) {
      this.#storeFailed(error)
    } finally {
      this.#cycling = false
    }
  }

  /** Reserves places; claims whose slot lies ahead go to the pacer. */
  async #claim(sweeping: boolean): Promise<boolean> {
    const { store, clock, nodeId } = this.#deps
    const now = clock.now()
    const request = { now, nodeId, leaseMs, maxClaims, horizonMs, asSafetyNet: sweeping }
    const { leases } = this.#membership
    const askedAt = leases.now()
    const { claims, wakeAt, more, changedAt = null } = await store.claim(request)
    leases.granted(
      claims.map(({ attemptId }) => attemptId),
      askedAt,
    )
    const isAnothers = changedAt !== null && now - changedAt < claimedWithinMs
    if (sweeping && !isAnothers) this.#sweepFound += claims.filter(claim => claim.slotAt <= now).length
    this.#armWake(wakeAt)
    const stopping = this.#phase === 'stopping'
    for (const claim of claims) if (stopping || !this.#pacer.hold(claim)) this.#placer.add(claim)
    return more
  }

  async #release(claims: readonly Claim[]): Promise<void> {
    const attemptIds = claims.map(claim => claim.attemptId)
    await this.#deps.store.releaseClaims(attemptIds, this.#deps.clock.now())
    for (const attemptId of attemptIds) this.#membership.leases.release(attemptId)
  }

  #armWake(at: number | null): void {
    this.#wakeTimer?.cancel()
    this.#wakeAt = at
    // A cycle that was under way when we were stopped ends after the timers were cleared: one more would keep the process.
    if (this.#phase === 'stopping') return
    this.#wakeTimer = at === null ? null : this.#deps.clock.at(Math.ceil(at), () => this.#wake())
  }

  #armSweep(): void {
    const every = this.#deps.sweepEveryMs === undefined ? sweepEveryMs : this.#deps.sweepEveryMs
    if (every === null) return
    this.#sweepTimer = this.#deps.clock.at(this.#deps.clock.now() + every, () => {
      void this.#sweep().finally(() => {
        if (this.#phase === 'calling') this.#armSweep()
      })
    })
  }

  /** What this finds due while nothing was about to wake us is a wake-up that was lost; a slot ahead is none. */
  async #sweep(): Promise<void> {
    const { clock } = this.#deps
    // Where the claim follows an ending's commit, what that frees is about to be claimed.
    const follows = this.#deps.alone === false && this.#recorder.isRecording
    const pending =
      this.#cycling ||
      this.#placer.isPlacing ||
      follows ||
      (this.#wakeAt !== null && this.#wakeAt <= clock.now() + 1)
    if (pending || this.#storeFailure !== null) return
    this.#cycling = true
    this.#sweeping = true
    this.#cycleDone = this.#cycle()
    await this.#cycleDone
  }

  #storeFailed(error: unknown): void {
    const message = error instanceof Error ? error.message : String(error)
    this.#deps.logger.error({ err: error }, 'the store failed: nothing is dialled until it answers again')
    this.#storeFailure = message
    this.#armWake(this.#deps.clock.now() + storeRetryMs)
  }
}
