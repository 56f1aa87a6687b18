// TalkifAI's webhooks: a call that was answered, one that ended or failed, and its transcript.
import type { Batch } from '../../../domain/batch.ts'
import { finalStanding } from '../../../domain/recipient.ts'
import type { ToldCall, WebhookFormat, WebhookMessage } from '../../../webhooks/webhook-format.ts'
import { endedStanding } from '../ended-standing.ts'
import { orNull, secondsInstant, tenthsOfSeconds } from '../instants.ts'
import { standingTable } from '../standing-table.ts'
import { hexHmac, newTextSecret, textSecretProblem, vendorSchedule } from '../webhook-parts.ts'
import { printAgentId } from '../wire-id.ts'
import { agentPrefix, batchPrefix, contactPrefix, errorCode, isSuccessful } from './present.ts'

const eventNames = ['call.started', 'call.ended', 'call.failed', 'transcript.ready'] as const

export const talkifaiWebhook: WebhookFormat = {
  name: 'talkifai',
  eventNames,
  eventsByDefault: eventNames,
  answerName: 'call.started',
  types: ['attempt.answered', 'attempt.ended'],
  namesOf(event) {
    if (event.type === 'attempt.answered') return ['call.started']
    const standing = endedStanding(event)
    const name = standing === null ? null : standingTable[standing].talkifaiEvent
    if (name === null) return []
    // Whether anything was said is seen when it is delivered.
    return name === 'call.ended' ? [name, 'transcript.ready'] : [name]
  },
  present: message => {
    const { id, name, event } = message
    const data = presentData(message)
    return data === null ? null : { id, type: name, created: Math.floor(event.at / 1_000), data }
  },
  test: {
    name: 'test',
    present: (id, at) => ({ id, type: 'test', created: Math.floor(at / 1_000), data: {} }),
  },
  headers: ({ body, secrets: [secret] }) => ({ 'X-TalkifAI-Signature': `sha256=${hexHmac(body, secret)}` }),
  newSecret: newTextSecret,
  secretProblem: textSecretProblem,
  schedule: vendorSchedule([30_000, 300_000, 1_800_000]),
}

function presentData({ name, batch, call }: WebhookMessage): object | null {
  if (batch === null || call === null) return null
  const about = presentCall(batch, call)
  if (name === 'call.started') return about
  if (name === 'transcript.ready') return presentTranscript(call, about)
  return { ...about, ...presentEnd(call) }
}

function presentCall(batch: Batch, { attempt, variables }: ToldCall) {
  return {
    callId: `call_${attempt.id}`,
    batchJobId: `${batchPrefix}${batch.id}`,
    agentId: printAgentId(batch, 'talkifai', agentPrefix),
    contactId: `${contactPrefix}${attempt.recipientId}`,
    phoneNumber: attempt.number,
    fromPhoneNumber: attempt.callerId,
    contactData: variables,
    attemptCount: attempt.ordinal,
    maxAttempts: batch.retry.maxAttempts,
    startedAt: orNull(attempt.answeredAt ?? attempt.dialedAt, secondsInstant),
  }
}

function presentTranscript(
  { conversation }: ToldCall,
  { callId, batchJobId, contactId }: ReturnType<typeof presentCall>,
) {
  if (conversation === null || conversation.transcript.length === 0) return null
  const transcript = conversation.transcript.map(({ role, message, at }) => ({
    role,
    message,
    at: secondsInstant(at),
  }))
  return { callId, batchJobId, contactId, transcript }
}

function presentEnd({ attempt, conversation, nextRetryAt, recordingUrl }: ToldCall) {
  const { answeredAt, endedAt, outcome } = attempt
  const failure = outcome !== null && !isSuccessful(outcome.disposition) ? outcome : null
  return {
    status: outcome === null ? null : standingTable[finalStanding(outcome)].talkifai,
    endedAt: orNull(endedAt, secondsInstant),
    callDuration: answeredAt === null || endedAt === null ? null : tenthsOfSeconds(endedAt - answeredAt),
    errorCode: errorCode(failure?.sipStatus ?? null),
    failureReason: failure?.cause ?? null,
    nextRetryAt: orNull(nextRetryAt, secondsInstant),
    results: conversation?.results ?? {},
    recordingUrl,
  }
}
