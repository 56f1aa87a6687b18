// Formant's webhooks: one for each call that ended, with what was said, what came of it and whether another follows.

import { positionOf } from '../../../domain/recipient-id.ts'
import type { ToldCall, WebhookFormat, WebhookMessage } from '../../../webhooks/webhook-format.ts'
import { endedStanding } from '../ended-standing.ts'
import { orNull, secondsInstant, tenthsOfSeconds } from '../instants.ts'
import { type FormantEvent, standingTable } from '../standing-table.ts'
import { hexHmac, newTextSecret, spokenLines, textSecretProblem, vendorSchedule } from '../webhook-parts.ts'
import { agentInteger } from './present.ts'
import { traceId } from './present-conversation.ts'
import { phoneColumn } from './schema.ts'

const eventNames: readonly FormantEvent[] = [
  'call.completed',
  'call.failed',
  'call.busy',
  'call.no_answer',
  'call.socket_failure',
  'call.telephony_failed',
  'call.unreachable',
]

export const formantWebhook: WebhookFormat = {
  name: 'formant',
  eventNames,
  eventsByDefault: eventNames,
  answerName: null,
  types: ['attempt.ended'],
  namesOf(event) {
    const standing = endedStanding(event)
    const name = standing === null ? null : standingTable[standing].formant.event
    return name === null ? [] : [name]
  },
  present,
  test: {
    name: 'test',
    present: (id, at) => ({ event_id: id, event_type: 'test', timestamp: secondsInstant(at), data: {} }),
  },
  headers: ({ id, name, at, body, secrets: [secret] }) => ({
    'X-FormantAI-Event-Id': id,
    'X-FormantAI-Event-Type': name,
    'X-FormantAI-Signature': `sha256=${hexHmac(body, secret)}`,
    'X-FormantAI-Timestamp': String(Math.floor(at / 1_000)),
  }),
  newSecret: newTextSecret,
  secretProblem: textSecretProblem,
  // Tries at 0, 30 and 300 s.
  schedule: vendorSchedule([30_000, 270_000]),
}

function present({ id, name, event, batch, call }: WebhookMessage): object | null {
  if (batch === null || call === null) return null
  const { attempt, conversation, nextRetryAt } = call
  return {
    event_id: id,
    event_type: name,
    timestamp: secondsInstant(event.at),
    data: {
      call: { agent_id: agentInteger(batch), ...presentCall(call, name) },
      results: conversation?.results ?? {},
      retry: {
        attempt_number: attempt.ordinal,
        is_final_attempt: nextRetryAt === null,
        max_attempts: batch.retry.maxAttempts,
        next_retry_at: orNull(nextRetryAt, secondsInstant),
      },
      // By these the calls to one person belong together.
      retry_context: {
        batch_call_id: batch.kind === 'call' ? null : batch.id,
        recipient_id: attempt.recipientId,
      },
      transcript: spokenLines(conversation),
    },
  }
}

function presentCall({ attempt, variables, recordingUrl }: ToldCall, name: string) {
  const { dialedAt, answeredAt, endedAt, outcome } = attempt
  return {
    call_parameters: { [phoneColumn]: attempt.number, ...variables },
    conversation_id: attempt.recipientId,
    duration_seconds: answeredAt === null || endedAt === null ? 0 : tenthsOfSeconds(endedAt - answeredAt),
    started_at: orNull(dialedAt, secondsInstant),
    ended_at: orNull(endedAt, secondsInstant),
    failure_reason: name === 'call.completed' ? null : (outcome?.cause ?? null),
    from_phone: attempt.callerId,
    to_phone: attempt.number,
    recording_url: recordingUrl,
    status: name.slice('call.'.length),
    trace_id: traceId(attempt.batchId, positionOf(attempt.recipientId)),
  }
}
