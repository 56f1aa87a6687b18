// A call as an agent sees it, without a telephone: its line plays at the pace that the test sets, through the real queue.
import type { AgentSession, CallLeg } from '../../src/agent/agent.ts'
import { frameBytes, frameMs, ulawSilence } from '../../src/media/g711.ts'
import { createPlaybackQueue } from '../../src/media/playback-queue.ts'

export interface LegOptions {
  variables?: Record<string, unknown>
  callId?: string
}

export class FakeCallLeg implements CallLeg {
  readonly callId: string
  readonly from = '+12025550100'
  readonly to = '+12025550163'
  readonly variables: Readonly<Record<string, unknown>>
  session: AgentSession | null = null
  /** Every call of a method that does something, in order, e.g. `hangUp when-played`. */
  readonly deeds: string[] = []
  readonly failures: string[] = []
  readonly results: Record<string, unknown> = {}
  readonly transcript: { role: 'agent' | 'human'; message: string; at: number }[] = []
  hungUp: 'now' | 'when-played' | null = null
  keys = ''
  optedOut = false
  /** What the person heard, frame by frame, silence included. */
  readonly heard: Uint8Array[] = []
  readonly #queue = createPlaybackQueue()
  readonly #waiting = new Set<() => void>()
  #nowMs = 1_795_000_000_000

  constructor({ variables = {}, callId = 'call-1' }: LegOptions = {}) {
    this.variables = variables
    this.callId = callId
  }

  now(): number {
    return this.#nowMs
  }

  playedMs(): number {
    return this.#queue.playedMs()
  }

  queuedMs(): number {
    return this.#queue.queuedBytes() / (frameBytes / frameMs)
  }

  play(ulaw: Uint8Array): void {
    // As the line does it: memory has an end.
    if (this.#queue.play(ulaw)) this.#done('play')
    else this.fail('The agent is too far ahead of the line.')
  }

  clear(): void {
    this.#queue.clear()
    this.#done('clear')
  }

  mark(name: string): void {
    this.#queue.mark(() => this.session?.markPlayed(name))
    this.#done(`mark ${name}`)
  }

  pressKeys(digits: string): void {
    this.#queue.mark(() => {
      this.keys += digits
    })
    this.#done(`pressKeys ${digits}`)
  }

  hangUp(when: 'now' | 'when-played'): void {
    this.hungUp = when
    this.#done(`hangUp ${when}`)
  }

  setResult(name: string, value: unknown): void {
    this.results[name] = value
    this.#done(`setResult ${name}`)
  }

  addTranscript(entry: { role: 'agent' | 'human'; message: string; at: number }): void {
    this.transcript.push(entry)
    this.#done(`addTranscript ${entry.role}`)
  }

  doNotCallAgain(): void {
    this.optedOut = true
    this.#done('doNotCallAgain')
  }

  fail(reason: string): void {
    this.failures.push(reason)
    this.#done('fail')
  }

  /** So much time passes on the line: the person hears what is queued, the agent hears `said` (silence by default). */
  pass(ms: number, said: Uint8Array = silence): void {
    for (let passed = 0; passed < ms; passed += frameMs) {
      const frame = new Uint8Array(frameBytes)
      this.#queue.next(frame)
      this.heard.push(frame)
      this.#nowMs += frameMs
      this.session?.hear(said)
    }
  }

  /** Resolves when the agent has done something that makes `holds` true. */
  async until(holds: () => boolean): Promise<void> {
    while (!holds()) {
      const { promise, resolve } = Promise.withResolvers<void>()
      this.#waiting.add(resolve)
      await promise
    }
  }

  /** Lets time pass, and everything that follows from it happen, until `holds`. */
  async passUntil(holds: () => boolean): Promise<void> {
    while (!holds()) {
      this.pass(frameMs)
      await new Promise(resolve => setImmediate(resolve))
    }
  }

  /** All that was heard, in one piece. */
  audio(): Uint8Array {
    return Buffer.concat(this.heard)
  }

  #done(deed: string): void {
    this.deeds.push(deed)
    for (const resolve of this.#waiting) resolve()
    this.#waiting.clear()
  }
}

export const silence = new Uint8Array(frameBytes).fill(ulawSilence)

/** Whether there is more in it than silence. */
export function isAudible(audio: Uint8Array): boolean {
  return audio.some(byte => byte !== ulawSilence && byte !== 0x7f)
}
