// Our own webhooks: the outbox's events by their own names, signed as the Standard Webhooks specification has it.
import { randomBytes } from 'node:crypto'
import { Webhook } from 'standardwebhooks'
import { eventTypes } from '../../domain/event.ts'
import { gone, ownDelaysMs } from '../../webhooks/retry-schedule.ts'
import type { WebhookFormat, WebhookMessage } from '../../webhooks/webhook-format.ts'
import { presentKeptAttempt, toIso } from './present.ts'

const secretPrefix = 'whsec_'
const secretBytes = 32
/** The specification's range. */
const minSecretBytes = 24
const maxSecretBytes = 64
/** What chance may take off a delay. */
const jitter = 0.2

export const outdialWebhook: WebhookFormat = {
  name: 'outdial',
  eventNames: eventTypes,
  // One more for each call: only for those who name it.
  eventsByDefault: eventTypes.filter(type => type !== 'attempt.answered'),
  answerName: 'attempt.answered',
  types: eventTypes,
  namesOf: ({ type }) => [type],
  present,
  test: {
    name: 'webhook.test',
    present: (_id, at) => ({ type: 'webhook.test', timestamp: toIso(at), data: {} }),
  },
  headers: ({ id, at, body, secrets }) => ({
    'webhook-id': id,
    'webhook-timestamp': String(Math.floor(at / 1_000)),
    'webhook-signature': secrets.map(secret => new Webhook(secret).sign(id, new Date(at), body)).join(' '),
  }),
  newSecret: () => secretPrefix + randomBytes(secretBytes).toString('base64'),
  secretProblem,
  schedule: { delaysMs: ownDelaysMs, jitter, timeoutMs: 15_000, retries: status => status !== gone },
}

function present({ name, event, batch, call }: WebhookMessage): object {
  return {
    type: name,
    timestamp: toIso(event.at),
    data: {
      ...event.data,
      batchId: event.batchId,
      ...(batch === null ? {} : { batch: { id: batch.id, name: batch.name, status: batch.status } }),
      ...(call === null ? {} : { call: presentCall(call, batch?.retry.maxAttempts ?? null) }),
    },
  }
}

function presentCall(call: NonNullable<WebhookMessage['call']>, maxAttempts: number | null) {
  const { attempt, variables, conversation, nextRetryAt, recordingUrl } = call
  return {
    ...presentKeptAttempt({ ...attempt, conversation, variables }),
    variables,
    maxAttempts,
    nextRetryAt: toIso(nextRetryAt),
    recordingUrl,
  }
}

function secretProblem(secret: string): string | null {
  const encoded = secret.startsWith(secretPrefix) ? secret.slice(secretPrefix.length) : null
  const isBase64 = encoded !== null && /^[A-Za-z0-9+/]+={0,2}$/.test(encoded) && encoded.length % 4 === 0
  const bytes = isBase64 ? Buffer.from(encoded, 'base64').length : 0
  return bytes >= minSecretBytes && bytes <= maxSecretBytes
    ? null
    : `must be ${secretPrefix} and the base64 of ${minSecretBytes} to ${maxSecretBytes} bytes`
}
