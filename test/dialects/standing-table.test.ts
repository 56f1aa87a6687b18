// The one table: where a recipient stands, as each vendor's clients read it.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Attempt, Standing } from '../../src/domain/recipient.ts'
import { standings } from '../../src/domain/recipient.ts'
import { presentBatch, recipientStatus } from '../../src/http/dialects/dialnexa/present.ts'
import { presentMetrics } from '../../src/http/dialects/formant/present.ts'
import { standingTable } from '../../src/http/dialects/standing-table.ts'
import { presentContact, presentJob } from '../../src/http/dialects/talkifai/present.ts'
import { endedAttempt, progressOf, sampleAttempt, sampleBatch, sampleRecipient } from './sample-batch.ts'

interface Expected {
  /** The counts of Formant's metrics that are 1 when one recipient stands here; `success_rate` aside. */
  formant: string[]
  event: string | null
  /** DialNexa's status after one call, and after several. */
  dialnexa: [once: string, retried: string]
  counter: 'completed' | 'failed' | null
  talkifai: string
  /** In which of TalkifAI's three sums it is. */
  sums: string[]
}

const processed = 'total_processed'
const unsuccessful = ['contactsProcessed', 'failedCalls']
const successful = ['contactsProcessed', 'successfulCalls']

/** Of conversations that no webhook tells of; the others have its word. */
const conversationWords: Partial<Record<Standing, string>> = {
  queued: 'initiated',
  calling: 'in_progress',
  waiting: 'pending_retry',
  cancelled: 'cancelled',
  suppressed: 'cancelled',
}

const table: Record<Standing, Expected> = {
  queued: {
    formant: [],
    event: null,
    dialnexa: ['created', 'created'],
    counter: null,
    talkifai: 'pending',
    sums: [],
  },
  calling: {
    formant: ['in_progress_count'],
    event: null,
    dialnexa: ['initiated', 'initiated'],
    counter: null,
    talkifai: 'dialing',
    sums: [],
  },
  waiting: {
    formant: ['pending_retry_count'],
    event: null,
    dialnexa: ['busy', 'busy'],
    counter: null,
    talkifai: 'queued',
    sums: [],
  },
  answered: {
    formant: ['completed_count', 'success_count', processed],
    event: 'call.completed',
    dialnexa: ['completed', 'completed'],
    counter: 'completed',
    talkifai: 'completed',
    sums: successful,
  },
  voicemail: {
    formant: ['completed_count', processed],
    event: 'call.completed',
    dialnexa: ['completed', 'completed'],
    counter: 'completed',
    talkifai: 'completed',
    sums: successful,
  },
  busy: {
    formant: ['busy_count', processed],
    event: 'call.busy',
    dialnexa: ['busy', 'retry_expired'],
    counter: 'failed',
    talkifai: 'busy',
    sums: unsuccessful,
  },
  'no-answer': {
    formant: ['no_answer_count', processed],
    event: 'call.no_answer',
    dialnexa: ['no_answer', 'retry_expired'],
    counter: 'failed',
    talkifai: 'no_answer',
    sums: unsuccessful,
  },
  timeout: {
    formant: ['no_answer_count', processed],
    event: 'call.no_answer',
    dialnexa: ['no_answer', 'retry_expired'],
    counter: 'failed',
    talkifai: 'timeout',
    sums: unsuccessful,
  },
  declined: {
    formant: ['failed_count', processed],
    event: 'call.failed',
    dialnexa: ['failed', 'failed'],
    counter: 'failed',
    talkifai: 'failed',
    sums: unsuccessful,
  },
  unreachable: {
    formant: ['unreachable_count', processed],
    event: 'call.unreachable',
    dialnexa: ['failed', 'failed'],
    counter: 'failed',
    talkifai: 'invalid_number',
    sums: unsuccessful,
  },
  blocked: {
    formant: ['failed_count', processed],
    event: 'call.failed',
    dialnexa: ['failed', 'failed'],
    counter: 'failed',
    talkifai: 'blocked',
    sums: unsuccessful,
  },
  'carrier-failure': {
    formant: ['failed_count', processed],
    event: 'call.telephony_failed',
    dialnexa: ['failed', 'failed'],
    counter: 'failed',
    talkifai: 'carrier_error',
    sums: unsuccessful,
  },
  'agent-failure': {
    formant: ['socket_failure_count', processed],
    event: 'call.socket_failure',
    dialnexa: ['failed', 'failed'],
    counter: 'failed',
    talkifai: 'failed',
    sums: unsuccessful,
  },
  lost: {
    formant: ['failed_count', processed],
    event: 'call.failed',
    dialnexa: ['failed', 'failed'],
    counter: 'failed',
    talkifai: 'failed',
    sums: unsuccessful,
  },
  cancelled: {
    formant: [],
    event: null,
    dialnexa: ['cancelled', 'cancelled'],
    counter: null,
    talkifai: 'cancelled',
    sums: [],
  },
  suppressed: {
    formant: [],
    event: null,
    dialnexa: ['cancelled', 'cancelled'],
    counter: null,
    talkifai: 'blocked',
    sums: [],
  },
}

/** The latest attempt of somebody who stands there. */
const lastAttempts: Partial<Record<Standing, Attempt>> = {
  calling: sampleAttempt({ status: 'dialing', endedAt: null }),
  waiting: endedAttempt({ disposition: 'busy', sipStatus: 486 }),
  'no-answer': endedAttempt({ disposition: 'no-answer', sipStatus: 480 }),
  timeout: endedAttempt({ disposition: 'no-answer', sipStatus: 408 }),
}

for (const standing of standings) {
  const expected = table[standing]
  const last = lastAttempts[standing] ?? null
  const batch = sampleBatch({ progress: progressOf({ [standing]: 1 }), totalRecipients: 1 })

  test(`Formant counts a recipient that stands at ${standing} once, where the table says`, () => {
    const { success_rate: rate, ...metrics } = presentMetrics(batch.progress, 1)
    const ones = Object.entries(metrics).filter(([, value]) => value !== 0)
    assert.deepEqual(Object.fromEntries(ones), Object.fromEntries(expected.formant.map(name => [name, 1])))
    assert.equal(rate, standing === 'answered' ? 100 : 0)
    const { event, conversation } = standingTable[standing].formant
    assert.equal(event, expected.event)
    assert.equal(conversation, conversationWords[standing] ?? event?.slice('call.'.length))
  })

  test(`DialNexa shows a recipient that stands at ${standing} as the table says`, () => {
    assert.equal(recipientStatus(standing, last, 1), expected.dialnexa[0])
    assert.equal(recipientStatus(standing, last, 3), expected.dialnexa[1])
    const { completed, failed, total_leads: total } = presentBatch(batch)
    const counts = {
      completed: 0,
      failed: 0,
      ...(expected.counter === null ? {} : { [expected.counter]: 1 }),
    }
    assert.deepEqual({ completed, failed }, counts)
    assert.equal(total, 1)
  })

  test(`TalkifAI shows a contact that stands at ${standing} as the table says`, () => {
    assert.equal(
      presentContact(sampleRecipient(standing, { lastAttempt: last }), 3).status,
      expected.talkifai,
    )
    const { statusBreakdown, contactsProcessed, successfulCalls, failedCalls } = presentJob(batch, null)
    assert.deepEqual(statusBreakdown, { [expected.talkifai]: 1 })
    const sums = { contactsProcessed: 0, successfulCalls: 0, failedCalls: 0 }
    assert.deepEqual(
      { contactsProcessed, successfulCalls, failedCalls },
      { ...sums, ...Object.fromEntries(expected.sums.map(name => [name, 1])) },
    )
  })
}

test('DialNexa calls a call sent once it rings, and while somebody talks', () => {
  for (const status of ['ringing', 'answered'] as const)
    assert.equal(recipientStatus('calling', sampleAttempt({ status, endedAt: null }), 1), 'sent')
})

test('DialNexa tells a telephone that rang out from one that did not answer for another reason', () => {
  const rangOut = [
    endedAttempt({ disposition: 'no-answer', cause: 'ring timeout' }),
    endedAttempt({ disposition: 'no-answer', sipStatus: 487 }),
    endedAttempt({ disposition: 'no-answer', sipStatus: 480, q850: 19 }),
  ]
  for (const last of rangOut) {
    assert.equal(recipientStatus('no-answer', last, 1), 'did_not_pick')
    assert.equal(recipientStatus('waiting', last, 2), 'did_not_pick')
    assert.equal(recipientStatus('no-answer', last, 2), 'retry_expired')
  }
})
