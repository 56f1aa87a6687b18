// One try of one delivery: composed, signed, sent, and what follows from the answer.

import type { OutboxEvent } from '../domain/event.ts'
import type { Clock } from '../runtime/clock.ts'
import type { Random } from '../runtime/random.ts'
import type {
  AfterTry,
  ClaimedDelivery,
  DeliveryTry,
  TriedDelivery,
  WebhookEndpoint,
} from '../store/webhook-records.ts'
import { type Composing, composeMessage } from './compose-message.ts'
import { afterTry, gone, isDelivered } from './retry-schedule.ts'
import type { Send, WebhookAnswer } from './sender.ts'
import type { WebhookFormat, WebhookFormats } from './webhook-format.ts'

/** An endpoint whose every try failed for so long is taken out of service. */
export const maxFailingMs = 5 * 24 * 3_600_000

/** A node of an older version meets a format that it does not know: another one delivers, later. */
const unknownFormatMs = 60_000

export interface Trying extends Composing {
  formats: WebhookFormats
  send: Send
  clock: Clock
  random: Random
}

/** Never rejects: whatever goes wrong is a failed try. */
export async function tryDelivery(trying: Trying, claimed: ClaimedDelivery): Promise<TriedDelivery> {
  const { delivery, endpoint, event } = claimed
  const at = trying.clock.now()
  const untried = (next: AfterTry): TriedDelivery => ({
    deliveryId: delivery.id,
    made: null,
    next,
    disable: null,
  })
  const format = trying.formats.get(endpoint.format)
  if (format === undefined) return untried({ kind: 'retry', dueAt: at + unknownFormatMs, overtaken: false })
  if (event === null) return untried({ kind: 'skipped' })
  const answer = await composeAndPost(trying, format, claimed, event).catch(notComposed)
  return answer === null ? untried({ kind: 'skipped' }) : judge(trying, claimed, format, answer, at)
}

/** null: there is nothing to tell after all. */
async function composeAndPost(
  trying: Trying,
  format: WebhookFormat,
  { delivery, endpoint }: ClaimedDelivery,
  event: OutboxEvent,
): Promise<WebhookAnswer | null> {
  const message = await composeMessage(trying, format, delivery, event)
  const body = format.present(message)
  return body === null ? null : post(trying, format, endpoint, { ...message, body })
}

/** Signs and sends, now. */
export function post(
  { send, clock }: Pick<Trying, 'send' | 'clock'>,
  format: WebhookFormat,
  endpoint: Pick<WebhookEndpoint, 'url' | 'secret' | 'previousSecret' | 'previousSecretUntil'>,
  { id, name, body: content }: { id: string; name: string; body: object },
): Promise<WebhookAnswer> {
  const at = clock.now()
  const body = JSON.stringify(content)
  const headers = {
    'content-type': 'application/json',
    'user-agent': 'Outdial',
    ...format.headers({ id, name, at, body, secrets: secretsAt(endpoint, at) }),
  }
  return send({ url: endpoint.url, headers, body, timeoutMs: format.schedule.timeoutMs })
}

function judge(
  { clock, random }: Trying,
  { delivery, endpoint }: ClaimedDelivery,
  { schedule }: WebhookFormat,
  answer: WebhookAnswer,
  at: number,
): TriedDelivery {
  const made: DeliveryTry = {
    at,
    status: answer.status,
    durationMs: answer.durationMs,
    error: answer.error,
    response: answer.response,
  }
  const now = clock.now()
  const next = afterTry(schedule, answer, {
    tries: delivery.tries.length + 1,
    firstAt: delivery.tries[0]?.at ?? at,
    now,
    random,
  })
  return { deliveryId: delivery.id, made, next, disable: disableReason(answer.status, endpoint, now) }
}

function disableReason(
  status: number | null,
  { failingSince }: WebhookEndpoint,
  now: number,
): TriedDelivery['disable'] {
  if (status === gone) return 'gone'
  return !isDelivered(status) && failingSince !== null && now - failingSince > maxFailingMs ? 'failing' : null
}

function secretsAt(
  {
    secret,
    previousSecret,
    previousSecretUntil,
  }: Pick<WebhookEndpoint, 'secret' | 'previousSecret' | 'previousSecretUntil'>,
  at: number,
): [string, ...string[]] {
  return previousSecret !== null && previousSecretUntil !== null && at < previousSecretUntil
    ? [secret, previousSecret]
    : [secret]
}

/** The store failed, or we did: tried again like any other. */
function notComposed(error: unknown): WebhookAnswer {
  const said = error instanceof Error ? error.message : String(error)
  return { status: null, durationMs: 0, error: `not composed: ${said}`, response: null, retryAfter: null }
}
