// A carrier without a telephone network: it plays each call's script on a clock and watches whether we keep our limits.
import type { Evidence } from '../../domain/outcome.ts'
import type { Clock } from '../../runtime/clock.ts'
import { waitFor } from '../../runtime/wait.ts'
import type { Call, CallObserver, CallRequest, Carrier, RescueAnswer } from '../carrier.ts'
import { dependsOnEarlierDials, scriptCall } from './behaviour.ts'
import { CallMemory, type Remembered } from './call-memory.ts'
import { misconfigured, refusalEvidence, refuseCall } from './refusal.ts'
import { readSettings, type SimulatedSettings } from './settings.ts'
import { SimulatedCall } from './simulated-call.ts'
import { type Seen, TrafficMeter } from './traffic-meter.ts'

export interface SimulatedCarrierOptions {
  clock: Clock
  /** For trunks that set none. */
  seed: number
  /**
   * True where the carrier outlives those who dial (a process of its own, virtual time): a Call-ID that it has not seen
   * was then never dialled. False in our own process, which forgets with a crash what it had dialled.
   */
  remembersAll?: boolean
}

interface Line {
  seen: TrafficMeter
  /** Without the refused calls: the carrier's own limits are held against these. */
  taken: TrafficMeter
}

export class SimulatedCarrier implements Carrier {
  readonly #clock: Clock
  readonly #seed: number
  readonly #memory: CallMemory
  readonly #all = new TrafficMeter()
  readonly #lines = new Map<number, Line>()
  readonly #live = new Map<string, SimulatedCall>()
  /** Only for numbers whose ending asks for it, e.g. throttled twice. */
  readonly #dialsTo = new Map<string, number>()
  readonly #settings = new WeakMap<object, ReturnType<typeof readSettings>>()
  #atOnce: SimulatedCall[] = []

  constructor({ clock, seed, remembersAll = false }: SimulatedCarrierOptions) {
    this.#clock = clock
    this.#seed = seed
    this.#memory = new CallMemory(remembersAll, remembersAll ? Number.POSITIVE_INFINITY : undefined)
  }

  dial(request: CallRequest, observer: CallObserver): Call {
    const line = this.#lineOf(request.trunk.id)
    const earlierDials = this.#countDial(request, line)
    const read = this.#readSettings(request.trunk.settings)
    if ('error' in read) return this.#refuse(request.callId, observer, misconfigured(read.error))
    const refusal = this.#usedCallId(request.callId) ?? overLimit(read.settings, line, this.#clock.now())
    if (refusal !== null) return this.#refuse(request.callId, observer, refusal)
    return this.#place(request, observer, line, read.settings, earlierDials)
  }

  /** Answers when the calls that it hung up have confirmed it, in their turn: only then are their places free. */
  async rescue(_trunk: unknown, callIds: string[]): Promise<RescueAnswer[]> {
    const answers = callIds.map(callId => this.rescueOne(callId))
    if (callIds.some(callId => this.#live.has(callId))) await waitFor(this.#clock, 0)
    return answers
  }

  /** Hangs up a live call, withdraws one that was never seen. */
  rescueOne(callId: string): RescueAnswer {
    const call = this.#live.get(callId)
    if (call === undefined) return this.#memory.rescue(callId)
    call.hangUp()
    return call.isAnswered ? 'answered' : 'unanswered'
  }

  async close(): Promise<void> {
    for (const call of this.#live.values()) call.abandon()
    this.#live.clear()
    this.#atOnce = []
  }

  /** What this carrier saw, on all trunks or on one. */
  seen(trunkId?: number): Seen {
    return trunkId === undefined ? this.#all.seen() : this.#lineOf(trunkId).seen.seen()
  }

  /** What an earlier life of this carrier knew: its calls are over, their Call-IDs are used. */
  recall(callId: string, what: Remembered, number: string | null): void {
    this.#memory.note(callId, what)
    if (number !== null) this.#countDialTo(number)
  }

  isWithdrawn(callId: string): boolean {
    return this.#memory.of(callId) === 'withdrawn'
  }

  /** Returns how often the number was dialled before. */
  #countDial({ callId, to }: CallRequest, line: Line): number {
    const now = this.#clock.now()
    for (const meter of [this.#all, line.seen]) {
      meter.dialed(now)
      const known = this.#memory.of(callId)
      if (known !== undefined && known !== 'withdrawn') meter.duplicated()
    }
    return this.#countDialTo(to)
  }

  #countDialTo(number: string): number {
    if (!dependsOnEarlierDials(number)) return 0
    const earlier = this.#dialsTo.get(number) ?? 0
    this.#dialsTo.set(number, earlier + 1)
    return earlier
  }

  #usedCallId(callId: string): Evidence | null {
    const known = this.#memory.of(callId)
    if (known === undefined) return null
    return refusalEvidence(482, known === 'withdrawn' ? 'Call-ID was withdrawn' : 'Merged Request')
  }

  #refuse(callId: string, observer: CallObserver, evidence: Evidence): Call {
    if (this.#memory.of(callId) === undefined) this.#memory.note(callId, 'unanswered')
    return refuseCall(this.#clock, observer, evidence)
  }

  #place(
    request: CallRequest,
    observer: CallObserver,
    line: Line,
    settings: SimulatedSettings,
    earlier: number,
  ): Call {
    const { callId, to, ordinal } = request
    const script = scriptCall(settings.seed ?? this.#seed, to, ordinal, earlier, settings)
    const call = new SimulatedCall(script, this.#clock, this.#watch(callId, observer, line))
    this.#memory.note(callId, 'unanswered')
    this.#live.set(callId, call)
    line.taken.dialed(this.#clock.now())
    for (const meter of [this.#all, line.seen]) meter.started()
    if (settings.zeroLength && script.answersAfterMs !== null) this.#playTogether(call)
    else call.start()
    return call
  }

  /** The dispatcher's observer, with the carrier's own bookkeeping before it. */
  #watch(callId: string, observer: CallObserver, line: Line): CallObserver {
    return {
      ringing: at => observer.ringing(at),
      answered: at => {
        this.#memory.note(callId, 'answered')
        observer.answered(at)
      },
      ended: (evidence, at) => {
        this.#live.delete(callId)
        for (const meter of [this.#all, line.seen]) meter.ended()
        observer.ended(evidence, at)
      },
    }
  }

  /** One turn of the event loop ends all zero-length calls that were placed in the one before: no timer for each. */
  #playTogether(call: SimulatedCall): void {
    this.#atOnce.push(call)
    if (this.#atOnce.length > 1) return
    setImmediate(() => {
      const calls = this.#atOnce
      this.#atOnce = []
      for (const each of calls) each.playAtOnce()
    })
  }

  #lineOf(trunkId: number): Line {
    let line = this.#lines.get(trunkId)
    if (line === undefined) {
      line = { seen: new TrafficMeter(), taken: new TrafficMeter() }
      this.#lines.set(trunkId, line)
    }
    return line
  }

  #readSettings(raw: Readonly<Record<string, unknown>>): ReturnType<typeof readSettings> {
    let read = this.#settings.get(raw)
    if (read === undefined) {
      read = readSettings(raw)
      this.#settings.set(raw, read)
    }
    return read
  }
}

/** What a carrier says whose limits are reached; null: there is room. */
function overLimit(settings: SimulatedSettings, { seen, taken }: Line, now: number): Evidence | null {
  const { maxCallsPerSecond, maxConcurrentCalls } = settings
  if (maxConcurrentCalls !== null && seen.concurrent >= maxConcurrentCalls)
    return refusalEvidence(503, 'No channels available', 34)
  if (maxCallsPerSecond !== null && taken.dialsInSecondUpTo(now) + 1 > maxCallsPerSecond)
    return refusalEvidence(503, 'CPS limit exceeded', 42)
  return null
}
