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
  /** Called while the record is on its way: what is claimed now shares its transaction. */
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
  #isBehind = false
  #inFlight = new Set<Promise<void>>()

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

  /** The last thing before the store is closed: resolves when everything that was told is on disk, or has failed to be. */
  async settled(): Promise<void> {
    this.#isLast = true
    this.#flush()
    while (this.#inFlight.size > 0) await Promise.all(this.#inFlight)
  }

  #schedule(): void {
    if (this.#scheduled) return
    this.#scheduled = true
    // Not a microtask: a hundred calls that end in one turn, each by a timer of its own, are recorded together, and the
    // claim behind them finds all hundred places free, not one.
    setImmediate(() => this.#flush())
  }

  #flush(): void {
    this.#scheduled = false
    const progress = [...this.#progress.values()]
    const ended = this.#ended
    this.#progress = new Map()
    this.#ended = []
    if (progress.length > 0)
      this.#track(this.#deps.store.recordProgress(progress), () => this.#keep(progress, []))
    if (ended.length === 0) return
    const recording = this.#deps.store.endAttempts(ended, this.#deps.clock.now()).then(() => {
      for (const { attemptId } of ended) this.#deps.onSettled(attemptId)
    })
    this.#track(recording, () => this.#keep([], ended))
    this.#deps.onRecorded()
  }

  #track(write: Promise<unknown>, keep: () => void): void {
    const done = write
      .then(
        () => {
          this.#isBehind = false
        },
        error => {
          this.#isBehind = true
          keep()
          this.#deps.onFailure(error)
        },
      )
      .finally(() => this.#inFlight.delete(done))
    this.#inFlight.add(done)
  }

  /** What could not be written is written later; a call that has ended meanwhile needs no progress. */
  #keep(progress: AttemptProgress[], ended: EndedAttempt[]): void {
    const over = new Set(this.#ended.map(({ attemptId }) => attemptId))
    for (const one of progress)
      if (!over.has(one.attemptId) && !this.#progress.has(one.attemptId))
        this.#progress.set(one.attemptId, one)
    this.#ended = [...ended, ...this.#ended]
    // What cannot be written at the very end is settled by the next start, as after a crash.
    if (!this.#isLast) this.#deps.clock.at(this.#deps.clock.now() + retryMs, () => this.#flush())
  }
}
