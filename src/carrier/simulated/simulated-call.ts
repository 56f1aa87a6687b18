// One simulated call over a clock: dialled → ringing → answered → over; a hang-up ends it anywhere.
import type { Evidence } from '../../domain/outcome.ts'
import type { Clock, Timer } from '../../runtime/clock.ts'
import type { Call, CallObserver } from '../carrier.ts'
import type { CallScript } from './behaviour.ts'
import { refusalEvidence } from './refusal.ts'

export class SimulatedCall implements Call {
  readonly #script: CallScript
  readonly #clock: Clock
  readonly #observer: CallObserver
  readonly #dialedAt: number
  #answeredAt: number | null = null
  #isOver = false
  #hungUp = false
  #timer: Timer | null = null

  constructor(script: CallScript, clock: Clock, observer: CallObserver) {
    this.#script = script
    this.#clock = clock
    this.#observer = observer
    this.#dialedAt = clock.now()
  }

  get isAnswered(): boolean {
    return this.#answeredAt !== null
  }

  /** Lets time take its course. A call that never rings or is never answered waits for a hang-up. */
  start(): void {
    const { ringsAfterMs, answersAfterMs } = this.#script
    if (ringsAfterMs !== null) this.#after(ringsAfterMs, () => this.#ring())
    else if (answersAfterMs !== null) this.#after(answersAfterMs, () => this.#conclude())
  }

  /** The whole call in one step, for calls that take no time. */
  playAtOnce(): void {
    if (this.#hungUp || this.#isOver) return
    if (this.#script.final.sipStatus === 200) this.#answer()
    this.#end(this.#finalEvidence())
  }

  /** CANCEL or BYE; the other side confirms it in a turn of its own, never within this one. */
  hangUp(): void {
    if (this.#hungUp || this.#isOver) return
    this.#hungUp = true
    this.#timer?.cancel()
    this.#timer = this.#clock.at(this.#clock.now(), () => this.#confirmHangUp())
  }

  /** The carrier closes: no more is heard of this call. */
  abandon(): void {
    this.#isOver = true
    this.#timer?.cancel()
  }

  #ring(): void {
    const { answersAfterMs } = this.#script
    if (answersAfterMs !== null) this.#after(answersAfterMs, () => this.#conclude())
    this.#observer.ringing(this.#clock.now())
  }

  #conclude(): void {
    const { final, talkMs } = this.#script
    if (final.sipStatus === 200) {
      this.#after(this.#clock.now() - this.#dialedAt + talkMs, () => this.#end(this.#finalEvidence()))
      this.#answer()
    } else this.#end(this.#finalEvidence())
  }

  #answer(): void {
    this.#answeredAt = this.#clock.now()
    this.#observer.answered(this.#answeredAt)
  }

  #confirmHangUp(): void {
    this.#end(this.isAnswered ? this.#finalEvidence() : this.#cancelledEvidence())
  }

  #finalEvidence(): Evidence {
    return { ...this.#script.final, endedBy: null, answeredAt: this.#answeredAt }
  }

  #cancelledEvidence(): Evidence {
    const { ringsAfterMs, answersAfterMs } = this.#script
    // Nothing at all was heard of a silent call, so there is nobody to confirm a CANCEL either.
    const isSilent = ringsAfterMs === null && answersAfterMs === null
    return isSilent ? refusalEvidence(null, null) : refusalEvidence(487, 'Request Terminated')
  }

  #end(evidence: Evidence): void {
    if (this.#isOver) return
    this.#isOver = true
    this.#observer.ended(evidence, this.#clock.now())
  }

  #after(ms: number, task: () => void): void {
    this.#timer = this.#clock.at(this.#dialedAt + ms, task)
  }
}
