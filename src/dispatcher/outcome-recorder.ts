// Ended calls on their way to disk: what happened in one turn of the event loop is recorded together, in order, and
// nothing is forgotten when the store fails.
import { type CallRates, callCostMillicents } from '../domain/estimate.ts'
import type { Clock } from '../runtime/clock.ts'
import type { AttemptProgress, Claim, EndedAttempt } from '../store/dispatch-records.ts'
import type { Store } from '../store/store.ts'
import type { Breakers } from './breakers.ts'
import { decideNext } from './decide-next.ts'
import type { KnownResources } from './known-resources.ts'
import type { Ending } from './running-attempt.ts'

/** After the store failed it is asked again after this. */
const retryMs = 1_000

export interface OutcomeRecorderDeps {
  store: Store
  clock: Clock
  known: KnownResources
  breakers: Breakers
  rates?: CallRates
  /** A store with one writer takes what it is asked in order; others commit when they can. Default: true. */
  alone?: boolean
  /** A claim that is asked for now sees the places that the endings free. With one writer it shares their transaction. */
  onRecorded(): void
  onFailure(error: unknown): void
  /** The end of an attempt is on disk, or was by somebody else's hand. */
  onSettled(attemptId: number): void
}

export class OutcomeRecorder {
  readonly #deps: OutcomeRecorderDeps
  #progress = new Map<number, AttemptProgress>()
  #ended: EndedAttempt[] = []
  #scheduled = false
  #isLast = false
  #retrying = false
  #isBehind = false
  readonly #inFlight = { progress: new Set<Promise<void>>(), ended: new Set<Promise<void>>() }

  constructor(deps: OutcomeRecorderDeps) {
    this.#deps = deps
  }

  /** Whether something could not be written and waits for the store. */
  get isBehind(): boolean {
    return this.#isBehind
  }

  /** Only the latest progress of a call is written; none when it ends in the same turn. */
  progressed(progress: AttemptProgress): void {
    this.#progress.set(progress.attemptId, progress)
    this.#schedule()
  }

  ended(claim: Claim, { outcome, answeredAt, endedAt, dialled, conversation, trace }: Ending): void {
    this.#progress.delete(claim.attemptId)
    const talkMs = answeredAt === null ? 0 : endedAt - answeredAt
    const architecture = this.#deps.known.agent(claim.agentId).architecture
    this.#ended.push({
      attemptId: claim.attemptId,
      outcome,
      answeredAt,
      endedAt,
      costMillicents: callCostMillicents(architecture, talkMs, this.#deps.rates),
      next: dialled
        ? decideNext(outcome, claim, endedAt)
        : { kind: 'put-back', dueAt: endedAt, throttled: false },
      suppress: outcome.consequence === 'suppress-number',
      callerFlagged: outcome.consequence === 'rest-caller-id',
      ...(conversation === undefined ? {} : { conversation }),
      ...(trace === undefined ? {} : { trace }),
    })
    if (dialled) this.#deps.breakers.observe(claim, outcome)
    this.#schedule()
  }

  /** Whether something is on its way to disk. */
  get isRecording(): boolean {
    return this.#inFlight.progress.size + this.#inFlight.ended.size > 0
  }

  /** The last thing before the store is closed: resolves when everything that was told is on disk, or has failed to be. */
  async settled(): Promise<void> {
    this.#isLast = true
    this.#flush()
    while (this.isRecording) await Promise.all([...this.#inFlight.progress, ...this.#inFlight.ended])
  }

  #schedule(): void {
    if (this.#scheduled) return
    this.#scheduled = true
    // Not a microtask: a hundred calls that end in one turn, each by a timer of its own, are recorded together, and the
    // claim behind them finds all hundred places free, not one.
    setImmediate(() => this.#flush())
  }

  /**
   * Where commits are slow and stand in each other's way, what comes while one is under way goes together after it. An end
   * does not wait for progress: that of a call that has ended meanwhile finds nothing to change.
   */
  #flush(): void {
    this.#scheduled = false
    const { alone = true } = this.#deps
    if (alone || this.#inFlight.progress.size === 0) this.#flushProgress()
    if (alone || this.#inFlight.ended.size === 0) this.#flushEnded()
  }

  #flushProgress(): void {
    const progress = [...this.#progress.values()]
    if (progress.length === 0) return
    this.#progress = new Map()
    this.#track('progress', this.#deps.store.recordProgress(progress), () => this.#keep(progress, []))
  }

  #flushEnded(): void {
    const ended = this.#ended
    if (ended.length === 0) return
    const { store, clock, alone = true, onSettled, onRecorded } = this.#deps
    this.#ended = []
    const recording = store.endAttempts(ended, clock.now()).then(() => {
      for (const { attemptId } of ended) onSettled(attemptId)
      if (!alone) onRecorded()
    })
    this.#track('ended', recording, () => this.#keep([], ended))
    if (alone) onRecorded()
  }

  #track(what: 'progress' | 'ended', write: Promise<unknown>, keep: () => void): void {
    const done = write
      .then(
        () => true,
        error => {
          keep()
          this.#deps.onFailure(error)
          return false
        },
      )
      .then(isWritten => {
        this.#inFlight[what].delete(done)
        this.#isBehind = !isWritten
        if (isWritten && this.#deps.alone === false) this.#flushGathered()
      })
    this.#inFlight[what].add(done)
  }

  #flushGathered(): void {
    const isAnyGathered = this.#progress.size > 0 || this.#ended.length > 0
    if (isAnyGathered && !this.#scheduled) this.#flush()
  }

  /** What could not be written is written later; a call that has ended meanwhile needs no progress. */
  #keep(progress: AttemptProgress[], ended: EndedAttempt[]): void {
    const over = new Set(this.#ended.map(({ attemptId }) => attemptId))
    for (const one of progress)
      if (!over.has(one.attemptId) && !this.#progress.has(one.attemptId))
        this.#progress.set(one.attemptId, one)
    this.#ended = [...ended, ...this.#ended]
    // What cannot be written at the very end is settled by the next start, as after a crash.
    if (!this.#isLast) this.#retryLater()
  }

  /** One timer for all that failed: one for each would double with every failure, progress and ends being two writes. */
  #retryLater(): void {
    if (this.#retrying) return
    this.#retrying = true
    const { clock } = this.#deps
    clock.at(clock.now() + retryMs, () => {
      this.#retrying = false
      this.#flush()
    })
  }
}
