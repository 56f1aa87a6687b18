// The format port: in whose words an endpoint is told, how that is signed, and when it is tried again. Adapters: our own in
// http/api/, each vendor's in its dialect's folder.
import type { Batch, Dialect } from '../domain/batch.ts'
import type { Conversation } from '../domain/conversation.ts'
import type { EventType, OutboxEvent } from '../domain/event.ts'
import type { Attempt } from '../domain/recipient.ts'
import type { RetrySchedule } from './retry-schedule.ts'

/** A call as it stands when it is told of. */
export interface ToldCall {
  attempt: Attempt
  variables: Record<string, unknown>
  /** What was said and what came of it; null: nothing was left behind. */
  conversation: Conversation | null
  /** null: this was the recipient's last call. */
  nextRetryAt: number | null
  /** Where its recording is fetched with an API key; null: there is none. */
  recordingUrl: string | null
}

export interface WebhookMessage {
  /** The same at every try and at every endpoint: receivers know repeats by it. */
  id: string
  /** One of `namesOf(event)`. */
  name: string
  event: OutboxEvent
  /** null: the event belongs to none, or the batch was deleted. */
  batch: Batch | null
  /** null: the event tells of no call, or the call is gone with its batch. */
  call: ToldCall | null
}

export interface SignedParts {
  id: string
  name: string
  /** When this try is made, epoch ms. */
  at: number
  /** As it is sent, byte for byte. */
  body: string
  /** The newest first; a second one while a rotation lasts. */
  secrets: readonly [string, ...string[]]
}

export interface WebhookFormat {
  name: Dialect
  /** Everything that it can tell of. */
  eventNames: readonly string[]
  /** What an endpoint is told that chooses nothing. */
  eventsByDefault: readonly string[]
  /** The name made from an answer: such an event is written only while somebody is told of it. null: not told. */
  answerName: string | null
  /** The types of ours that it has a name for. */
  types: readonly EventType[]
  /** Names for what the event tells, in the order of delivery; none: no words for it. */
  namesOf(event: OutboxEvent): readonly string[]
  /** The JSON that is sent; null: there is nothing to tell after all. */
  present(message: WebhookMessage): object | null
  /** A test of the line, under `test.name`. */
  test: { name: string; present(id: string, at: number): object }
  /** Beside `content-type`. */
  headers(parts: SignedParts): Record<string, string>
  newSecret(): string
  /** What is wrong with a secret that somebody brings, half a sentence; null: nothing. */
  secretProblem(secret: string): string | null
  schedule: RetrySchedule
}

/** The formats that there are, by name. */
export type WebhookFormats = ReadonlyMap<string, WebhookFormat>
