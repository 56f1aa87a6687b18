// A carrier that does with each call exactly what a test says, lawful or not.
import type { Call, CallObserver, CallRequest, Carrier, RescueAnswer } from '../../src/carrier/carrier.ts'
import { refusalEvidence } from '../../src/carrier/simulated/refusal.ts'
import type { Evidence } from '../../src/domain/outcome.ts'
import type { Clock } from '../../src/runtime/clock.ts'

/** One call in the script's hands. Nothing here stops it from ending twice or speaking after its end. */
export class Line {
  readonly request: CallRequest
  /** How often we were asked to hang up. */
  hangUps = 0
  /** What the other side does when we hang up; by default nothing. */
  onHangUp: () => void = () => {}
  #answeredAt: number | null = null
  readonly #clock: Clock
  readonly #observer: CallObserver

  constructor(request: CallRequest, observer: CallObserver, clock: Clock) {
    this.request = request
    this.#observer = observer
    this.#clock = clock
  }

  after(ms: number, task: () => void): void {
    this.#clock.at(this.#clock.now() + ms, task)
  }

  ring(): void {
    this.#observer.ringing(this.#clock.now())
  }

  answer(): void {
    this.#answeredAt = this.#clock.now()
    this.#observer.answered(this.#answeredAt)
  }

  end(sipStatus: number | null, phrase: string | null = null, more: Partial<Evidence> = {}): void {
    const evidence = { ...refusalEvidence(sipStatus, phrase), answeredAt: this.#answeredAt, ...more }
    this.#observer.ended(evidence, this.#clock.now())
  }

  /** Rings after a second, is answered a second later and talked on for `talkMs`; a hang-up ends it at once. */
  talk(talkMs: number, more: Partial<Evidence> = {}): void {
    let over = false
    const end = (status: number) => {
      if (!over) this.end(status, null, more)
      over = true
    }
    const unlessOver = (task: () => void) => () => over || task()
    this.after(
      1_000,
      unlessOver(() => this.ring()),
    )
    this.after(
      2_000,
      unlessOver(() => this.answer()),
    )
    this.after(2_000 + talkMs, () => end(200))
    this.onHangUp = () => this.after(0, () => end(this.#answeredAt === null ? 487 : 200))
  }

  /** A final answer 10 ms after the dial, without ringing. */
  refuse(sipStatus: number, phrase: string | null = null): void {
    this.after(10, () => this.end(sipStatus, phrase))
  }
}

export class ScriptedCarrier implements Carrier {
  readonly lines: Line[] = []
  /** What it knows of lost calls; may throw. */
  onRescue: (callId: string) => RescueAnswer = () => 'unknown'
  rescues = 0
  readonly #clock: Clock
  readonly #script: (line: Line) => void

  constructor(clock: Clock, script: (line: Line) => void) {
    this.#clock = clock
    this.#script = script
  }

  dial(request: CallRequest, observer: CallObserver): Call {
    const line = new Line(request, observer, this.#clock)
    this.lines.push(line)
    this.#script(line)
    return {
      hangUp: () => {
        line.hangUps++
        line.onHangUp()
      },
    }
  }

  async rescue(_trunk: unknown, callIds: string[]): Promise<RescueAnswer[]> {
    this.rescues++
    return callIds.map(callId => this.onRescue(callId))
  }

  async close(): Promise<void> {}
}
