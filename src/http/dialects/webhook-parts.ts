// What vendors' webhooks have in common: a plain HMAC over the body, a secret that is any text, which failures are tried again.
import { createHmac, randomBytes } from 'node:crypto'
import type { Conversation } from '../../domain/conversation.ts'
import { isPassing, type RetrySchedule } from '../../webhooks/retry-schedule.ts'

const secretBytes = 32
const minSecretLength = 16
const maxSecretLength = 256

/** HMAC-SHA256 of the body as it is sent, in hex. */
export function hexHmac(body: string, secret: string): string {
  return createHmac('sha256', secret).update(body).digest('hex')
}

/** 64 hexadecimal digits. */
export function newTextSecret(): string {
  return randomBytes(secretBytes).toString('hex')
}

/** Half a sentence; null: nothing is wrong with it. */
export function textSecretProblem(secret: string): string | null {
  if (secret.length < minSecretLength || secret.length > maxSecretLength)
    return `must have ${minSecretLength} to ${maxSecretLength} characters`
  return /^[\x21-\x7e]+$/.test(secret) ? null : 'must be visible ASCII without spaces'
}

/** All three wait 10 s for an answer, and try again at instants of their own. */
export function vendorSchedule(delaysMs: readonly number[]): RetrySchedule {
  return { delaysMs, jitter: 0, timeoutMs: 10_000, retries: isPassing }
}

/** Who said what, without the instants. */
export function spokenLines(conversation: Conversation | null) {
  return (conversation?.transcript ?? []).map(({ role, message }) => ({ role, message }))
}
