// The calls that media-stream agents hold now, by the id that they know them by, so that they can be hung up over REST.
import { createHash } from 'node:crypto'
import type { AgentSettings } from '../agent.ts'
import {
  answerCallUpdate,
  type CallUpdate,
  type CallUpdateAnswer,
  type UpdatableCall,
} from './call-update.ts'
import { callSidOf, defaultAccountSid } from './twilio-ids.ts'

export interface HeldCall {
  callId: string
  /** E.164. */
  from: string
  to: string
  agent: AgentSettings
  /** At once; idempotent. */
  hangUp(): void
}

/** An agent whose call has just ended is told so, not that its key is wrong: the newest keys are remembered. */
const maxKnownKeys = 1_000

export class HeldCalls {
  readonly #calls = new Map<string, UpdatableCall & Pick<HeldCall, 'hangUp'>>()
  /** Digests of account and token, oldest first. */
  readonly #knownKeys = new Set<string>()

  /** From the dial on; calls of other agents are passed over. */
  hold({ callId, from, to, agent, hangUp }: HeldCall): void {
    if (agent.kind !== 'media-stream') return
    const accountSid = textOf(agent.accountSid) ?? defaultAccountSid
    const authToken = textOf(agent.authToken)
    this.#calls.set(callSidOf(callId), { from, to, accountSid, authToken, hangUp })
    if (authToken !== null) this.#remember(keyDigest(`${accountSid}:${authToken}`))
  }

  release(callId: string): void {
    if (this.#calls.size > 0) this.#calls.delete(callSidOf(callId))
  }

  /** One request of an agent: decides, hangs up, and says what to answer. */
  update(update: CallUpdate): Pick<CallUpdateAnswer, 'status' | 'body'> {
    const call = this.#calls.get(update.callSid) ?? null
    const { status, body, hangUp } = answerCallUpdate(update, call, key =>
      this.#knownKeys.has(keyDigest(key)),
    )
    if (hangUp) {
      this.#calls.delete(update.callSid)
      call?.hangUp()
    }
    return { status, body }
  }

  #remember(key: string): void {
    this.#knownKeys.delete(key)
    this.#knownKeys.add(key)
    const [oldest] = this.#knownKeys
    if (this.#knownKeys.size > maxKnownKeys && oldest !== undefined) this.#knownKeys.delete(oldest)
  }
}

function textOf(value: unknown): string | null {
  return typeof value === 'string' ? value : null
}

function keyDigest(key: string): string {
  return createHash('sha256').update(key).digest('base64')
}
