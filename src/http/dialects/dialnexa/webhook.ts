// DialNexa's webhooks: calls that ended, as its call log shows them, and campaigns that completed or paused.
import { finalStanding } from '../../../domain/recipient.ts'
import type { WebhookFormat, WebhookMessage } from '../../../webhooks/webhook-format.ts'
import { endedStanding } from '../ended-standing.ts'
import { millisInstant } from '../instants.ts'
import { standingTable } from '../standing-table.ts'
import { hexHmac, newTextSecret, spokenLines, textSecretProblem, vendorSchedule } from '../webhook-parts.ts'
import { presentBatch, presentCallLog } from './present.ts'

const eventNames = [
  'call.completed',
  'call.failed',
  'call.no_answer',
  'campaign.completed',
  'campaign.paused',
] as const

export const dialnexaWebhook: WebhookFormat = {
  name: 'dialnexa',
  eventNames,
  eventsByDefault: eventNames,
  answerName: null,
  types: ['attempt.ended', 'batch.completed', 'batch.paused'],
  namesOf(event) {
    if (event.type === 'batch.completed') return ['campaign.completed']
    if (event.type === 'batch.paused') return ['campaign.paused']
    const standing = endedStanding(event)
    const name = standing === null ? null : standingTable[standing].dialnexa.event
    return name === null ? [] : [name]
  },
  present: message => {
    const data = presentData(message)
    return data === null
      ? null
      : { id: message.id, event: message.name, created_at: millisInstant(message.event.at), data }
  },
  test: {
    name: 'test',
    present: (id, at) => ({ id, event: 'test', created_at: millisInstant(at), data: {} }),
  },
  headers: ({ body, secrets: [secret] }) => ({ 'X-DialNexa-Signature': hexHmac(body, secret) }),
  newSecret: newTextSecret,
  secretProblem: textSecretProblem,
  // The vendor names no schedule: this one is TalkifAI's.
  schedule: vendorSchedule([30_000, 300_000, 1_800_000]),
}

function presentData({ event, batch, call }: WebhookMessage): object | null {
  if (batch === null) return null
  if (event.type !== 'attempt.ended') return presentBatch(batch)
  if (call === null || call.attempt.outcome === null) return null
  const { attempt, variables, conversation, nextRetryAt } = call
  const standing = nextRetryAt === null ? finalStanding(call.attempt.outcome) : 'waiting'
  return {
    ...presentCallLog({ ...attempt, variables, standing, recipientAttempts: attempt.ordinal }),
    transcript: spokenLines(conversation),
    results: conversation?.results ?? {},
  }
}
