// The SIP messages of single calls, kept in memory for whoever asks what happened: the newest calls, within bounds.
import type { TracedMessage } from './user-agent.ts'

const maxCalls = 500
/** A call has about a dozen; a flood of repetitions is not worth more. */
const maxMessagesPerCall = 200

export class SipTrace {
  readonly #calls = new Map<string, TracedMessage[]>()

  /** From now on this call's messages are kept. */
  keep(callId: string): void {
    if (this.#calls.size >= maxCalls) {
      const oldest = this.#calls.keys().next()
      if (oldest.done !== true) this.#calls.delete(oldest.value)
    }
    this.#calls.set(callId, [])
  }

  note(entry: TracedMessage): void {
    const messages = this.#calls.get(entry.callId)
    if (messages !== undefined && messages.length < maxMessagesPerCall)
      messages.push({ ...entry, text: withoutSecrets(entry.text) })
  }

  /** null: nothing of it was kept. */
  of(callId: string): readonly TracedMessage[] | null {
    return this.#calls.get(callId) ?? null
  }

  /** Whether anything is kept at all: else no message needs to be looked at. */
  get isOn(): boolean {
    return this.#calls.size > 0
  }
}

/** Digest answers prove a password to whoever can try enough of them; SDES keys open the audio. */
function withoutSecrets(text: string): string {
  return text
    .replace(/response="[^"]*"/g, 'response="[hidden]"')
    .replace(/inline:[^\s|]+/g, 'inline:[hidden]')
}
