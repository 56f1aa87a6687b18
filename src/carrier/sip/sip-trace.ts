// The SIP messages of calls under way, kept in memory until the call has ended and takes its own with it.
import type { CallTrace } from '../../domain/call-trace.ts'
import { remoteOf } from './probe-gateways.ts'
import type { TracedMessage } from './user-agent.ts'

/** Calls at the same time; beyond it the oldest loses its trace, and ended calls that nobody asked for go first. */
const maxCalls = 2_000
/** A call has about a dozen; a flood of repetitions is not worth more. */
const maxMessagesPerCall = 200
/** All messages of a call together: a dozen have 10,000. */
const maxCharsPerCall = 200_000

interface Kept extends CallTrace {
  chars: number
}

export class SipTrace {
  readonly #calls = new Map<string, Kept>()

  /** From now on this call's messages are kept. */
  keep(callId: string): void {
    if (this.#calls.size >= maxCalls) {
      const oldest = this.#calls.keys().next()
      if (oldest.done !== true) this.#calls.delete(oldest.value)
    }
    this.#calls.set(callId, { messages: [], leftOut: 0, chars: 0 })
  }

  note({ callId, at, direction, hop, text: sent }: TracedMessage): void {
    const kept = this.#calls.get(callId)
    if (kept === undefined) return
    const text = withoutSecrets(sent)
    if (kept.messages.length >= maxMessagesPerCall || kept.chars + text.length > maxCharsPerCall) {
      kept.leftOut++
      return
    }
    kept.chars += text.length
    kept.messages.push({ at, direction, transport: hop.protocol, remote: remoteOf(hop), text })
  }

  /** What was kept of this call, which is then forgotten here; null: nothing, or no message went either way. */
  take(callId: string): CallTrace | null {
    const kept = this.#calls.get(callId)
    if (kept === undefined) return null
    this.#calls.delete(callId)
    return kept.messages.length === 0 ? null : { messages: kept.messages, leftOut: kept.leftOut }
  }

  /** Whether anything is kept at all: else no message needs to be looked at. */
  get isOn(): boolean {
    return this.#calls.size > 0
  }
}

/** Digest answers prove a password to whoever can try enough of them; SDES keys open the audio. */
function withoutSecrets(text: string): string {
  return text
    .replace(/\bresponse\s*=\s*("[^"]*"|[0-9a-f]+)/gi, 'response="[hidden]"')
    .replace(/inline:[^\s|]+/g, 'inline:[hidden]')
}
