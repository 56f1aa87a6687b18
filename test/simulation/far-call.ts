// One call at the far end: what really happens to it, and what we are told of it, which need not be the same.
import type { CallObserver, CallRequest } from '../../src/carrier/carrier.ts'
import { refusalEvidence } from '../../src/carrier/simulated/refusal.ts'
import type { Evidence } from '../../src/domain/outcome.ts'
import type { Clock, Timer } from '../../src/runtime/clock.ts'
import type { CallPlan } from './call-plan.ts'

/** What the dispatcher waits for a hang-up to be confirmed: then it takes the call for over. */
const hangUpAnswerMs = 5_000
/** Whatever else is wrong, no call goes on for longer. */
const maxHoldMs = 10 * 60_000

/** Who dialled, on the strength of which commit. */
export interface Dialler {
  nodeId: string
  attemptId: number
  batch: string
  zone: string
  /** When the dispatcher dialled: where a dialog is written down first, the INVITE leaves after that. */
  orderedAt: number
  /** When the node last asked whether it may, and by how much its clock was wrong then. */
  askedAt: number
  clockErrorMs: number
  /** The CPS slot that it was given, by the same clock. */
  slotAt: number
  /** How wrong the node's clock was when it was given that. */
  slotErrorMs: number
}

export class FarCall {
  readonly request: CallRequest
  readonly dialler: Dialler
  readonly dialledAt: number
  answeredAt: number | null = null
  overAt: number | null = null
  /** It is over for us from here on, rightly or not: who told us so lied, or would not say. */
  releasedAt: number | null = null
  toldAnswered = false
  /** Somebody was told by a rescue that it was never answered, or nothing, though it was. */
  answerDenied = false
  agentFailed = false
  onReleased = () => {}
  #toldOver = false
  /** What it says from here on comes too late for anybody. */
  #tooLate = false
  #tells = 0
  #hungUp = 0
  #timer: Timer | null = null
  readonly #plan: CallPlan
  readonly #clock: Clock
  readonly #observer: CallObserver

  constructor(request: CallRequest, dialler: Dialler, plan: CallPlan, clock: Clock, observer: CallObserver) {
    this.request = request
    this.dialler = dialler
    this.#plan = plan
    this.#clock = clock
    this.#observer = observer
    this.dialledAt = clock.now()
    this.#after(0, () => this.#begin())
    clock.at(this.dialledAt + maxHoldMs, () => this.#over(this.#plan.evidence))
  }

  get isOver(): boolean {
    return this.overAt !== null
  }

  hangUp(): void {
    this.#hungUp++
    this.#clock.at(this.#clock.now() + hangUpAnswerMs - 1, () => {
      this.#tooLate = true
      this.release()
    })
    if (this.isOver) return
    const { hangUp } = this.#plan
    if (hangUp.kind === 'deaf') return
    if (hangUp.kind === 'crossing' && this.#hungUp === 1) {
      this.#clock.at(this.#clock.now() + hangUp.afterMs, () => this.#answer())
      return
    }
    this.#clock.at(this.#clock.now() + hangUp.afterMs, () => this.#hangUpNow())
  }

  /** At once and for good: the process that played it died, or a rescue hung it up. */
  cut(): void {
    this.#plan.muteAfter = 0
    this.#hangUpNow()
  }

  /** Another may have its place. */
  release(): void {
    if (this.releasedAt !== null) return
    this.releasedAt = this.#clock.now()
    this.onReleased()
  }

  #begin(): void {
    const { ringsAfterMs, decidesAfterMs, liesAfterMs } = this.#plan
    if (ringsAfterMs !== null)
      this.#after(ringsAfterMs, () => this.#tell(() => this.#observer.ringing(this.#clock.now())))
    if (decidesAfterMs !== null) this.#timer = this.#after(decidesAfterMs, () => this.#decide())
    if (liesAfterMs !== null) this.#after(liesAfterMs, () => this.#sayOver(this.#plan.lie))
  }

  #decide(): void {
    if (this.#plan.evidence.sipStatus !== 200) {
      this.#over(this.#plan.evidence)
      return
    }
    this.#timer = this.#after(this.#clock.now() - this.dialledAt + this.#plan.talkMs, () =>
      this.#over(this.#plan.evidence),
    )
    this.#answer()
  }

  #answer(): void {
    if (this.isOver || this.answeredAt !== null) return
    this.answeredAt = this.#clock.now()
    this.#tell(() => {
      if (!this.#tooLate) this.toldAnswered = true
      this.#observer.answered(this.#clock.now())
    })
  }

  #hangUpNow(): void {
    this.#over(this.answeredAt === null ? refusalEvidence(487, 'Request Terminated') : this.#plan.evidence)
  }

  #over(evidence: Evidence): void {
    if (this.isOver) return
    this.#timer?.cancel()
    this.overAt = this.#clock.now()
    this.release()
    this.#sayOver(evidence)
  }

  #sayOver(evidence: Evidence): void {
    this.#tell(() => {
      if (this.#toldOver) return
      this.#toldOver = true
      this.release()
      const answeredAt = evidence.sipStatus === 200 ? this.answeredAt : null
      if (answeredAt !== null && !this.#tooLate) this.toldAnswered = true
      this.#tooLate = true
      if (answeredAt !== null && evidence.agentFailed) this.agentFailed = true
      this.#observer.ended({ ...evidence, answeredAt }, this.#clock.now())
      if (this.#plan.twice) this.#observer.ended(refusalEvidence(503, 'said twice'), this.#clock.now())
    })
  }

  /** Late, twice or not at all. */
  #tell(say: () => void): void {
    if (this.#tells++ >= this.#plan.muteAfter) return
    this.#clock.at(this.#clock.now() + this.#plan.lateMs, () => {
      say()
      if (this.#plan.twice) say()
    })
  }

  #after(ms: number, task: () => void): Timer {
    return this.#clock.at(this.dialledAt + ms, () => {
      if (!this.isOver) task()
    })
  }
}
