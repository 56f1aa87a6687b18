// Each format's names, bodies and signatures, as its clients read and check them.
import assert from 'node:assert/strict'
import { createHmac } from 'node:crypto'
import { type TestContext, test } from 'node:test'
import { Webhook } from 'standardwebhooks'
import type { Conversation } from '../../src/domain/conversation.ts'
import type { OutboxEvent } from '../../src/domain/event.ts'
import { dispositions } from '../../src/domain/outcome.ts'
import { outcomeOf, start } from '../store/workbench.ts'
import { answered, openHouse } from './delivery-house.ts'
import { everyFormat } from './webhook-desk.ts'

const formatOf = (name: string) => everyFormat.find(format => format.name === name)!
const body = '{"text":"Grüße"}'
const parts = { id: 'evt_7', name: 'call.busy', at: Date.now(), body }
const hmac = (secret: string) => createHmac('sha256', secret).update(body, 'utf8').digest('hex')

test('ours passes the verification of the Standard Webhooks package, with either secret of a rotation', () => {
  const format = formatOf('outdial')
  const [next, before, other] = [format.newSecret(), format.newSecret(), format.newSecret()]
  const headers = format.headers({ ...parts, secrets: [next, before] })
  for (const secret of [next, before])
    assert.deepEqual(new Webhook(secret).verify(body, headers), JSON.parse(body))
  assert.throws(() => new Webhook(other).verify(body, headers), /No matching signature/)
  assert.throws(() => new Webhook(next).verify(`${body} `, headers), /No matching signature/)
  assert.equal(headers['webhook-id'], 'evt_7')
})

test('the vendors’ signatures are plain HMACs of the body, in their own headers', () => {
  const secrets = ['new-secret-of-16-chars', 'old-secret-of-16-chars'] as const
  const [secret] = secrets
  const headers = (name: string) => formatOf(name).headers({ ...parts, secrets: [...secrets] })
  assert.deepEqual(headers('formant'), {
    'X-FormantAI-Event-Id': 'evt_7',
    'X-FormantAI-Event-Type': 'call.busy',
    'X-FormantAI-Signature': `sha256=${hmac(secret)}`,
    'X-FormantAI-Timestamp': String(Math.floor(parts.at / 1_000)),
  })
  assert.deepEqual(headers('dialnexa'), { 'X-DialNexa-Signature': hmac(secret) })
  assert.deepEqual(headers('talkifai'), { 'X-TalkifAI-Signature': `sha256=${hmac(secret)}` })
})

test('a secret is made for each format, and one that is brought is checked', () => {
  for (const format of everyFormat) {
    assert.equal(format.secretProblem(format.newSecret()), null, format.name)
    assert.notEqual(format.newSecret(), format.newSecret())
    for (const bad of ['', 'short', `${'x'.repeat(300)}`, 'with space inside it'])
      assert.notEqual(format.secretProblem(bad), null, `${format.name} ${bad}`)
  }
  assert.match(formatOf('outdial').secretProblem('a-text-of-more-than-24-bytes') ?? '', /whsec_/)
})

/** Names for the end of a call with each disposition, in each vendor's words. */
const names: Record<(typeof dispositions)[number], [string | null, string | null, string | null]> = {
  answered: ['call.completed', 'call.completed', 'call.ended transcript.ready'],
  voicemail: ['call.completed', 'call.completed', 'call.ended transcript.ready'],
  busy: ['call.busy', 'call.failed', 'call.failed'],
  'no-answer': ['call.no_answer', 'call.no_answer', 'call.failed'],
  declined: ['call.failed', 'call.failed', 'call.failed'],
  unreachable: ['call.unreachable', 'call.failed', 'call.failed'],
  blocked: ['call.failed', 'call.failed', 'call.failed'],
  'carrier-failure': ['call.telephony_failed', 'call.failed', 'call.failed'],
  'agent-failure': ['call.socket_failure', 'call.failed', 'call.failed'],
  lost: ['call.failed', 'call.failed', 'call.failed'],
  cancelled: [null, null, null],
}

test('a call that ended has its name in each vendor’s words', () => {
  const event = (type: OutboxEvent['type'], data = {}): OutboxEvent => ({
    id: 1,
    workspaceId: 1,
    batchId: 1,
    type,
    at: start,
    data,
  })
  const said = (name: string, one: OutboxEvent) => formatOf(name).namesOf(one).join(' ') || null
  for (const disposition of dispositions) {
    const ended = event('attempt.ended', { disposition, sipStatus: null })
    const found = ['formant', 'dialnexa', 'talkifai'].map(name => said(name, ended))
    assert.deepEqual(found, names[disposition], disposition)
  }
  const timeout = event('attempt.ended', { disposition: 'no-answer', sipStatus: 408 })
  assert.equal(said('dialnexa', timeout), 'call.no_answer')
  assert.equal(said('dialnexa', event('batch.completed')), 'campaign.completed')
  assert.equal(said('dialnexa', event('batch.paused')), 'campaign.paused')
  assert.equal(said('talkifai', event('attempt.answered')), 'call.started')
  for (const name of ['formant', 'dialnexa', 'talkifai']) {
    assert.equal(said(name, event('batch.created')), null)
    assert.equal(said(name, event('attempt.put-back')), null)
  }
})

const conversation: Conversation = {
  transcript: [
    { role: 'agent', message: 'Hello.', at: start },
    { role: 'human', message: 'Hi.', at: start + 1_000 },
  ],
  results: { interested: true },
  recordingFile: 'call-1.wav',
  recordingBytes: 16_044,
  line: { packetsSent: 5, packetsReceived: 5, packetsLost: 0, jitterMs: 0, firstAudioAfterMs: 20 },
}

/** What a receiver of this format is sent of one answered and one busy call that is to be tried again. */
async function bodiesOf(t: TestContext, format: string) {
  const house = await openHouse(t, () => answered(200))
  await house.addEndpoint({ format, events: null })
  const retry = { maxAttempts: 3, delaysMs: { busy: [300_000] } }
  const { id: batchId } = await house.import(2, { retry, sentAgentId: '456', dialect: 'formant' })
  const [talked, busy] = await house.call()
  const at = { attemptId: talked!.attemptId, status: 'answered' as const, at: start + 1_000 }
  await house.store.recordProgress([at])
  const outcome = outcomeOf('answered')
  await house.end([talked!], { outcome, answeredAt: start + 1_000, endedAt: start + 5_200, conversation })
  const next = { kind: 'retry' as const, dueAt: start + 300_000 }
  await house.end([busy!], { outcome: outcomeOf('busy'), endedAt: start + 2_000, next })
  await house.pass(1)
  const bodies = house.sent.map(({ body }) => JSON.parse(body))
  return { bodies, batchId, talked: talked!, busy: busy! }
}

test('ours tells of a call with everything that the API shows of it', async t => {
  const { bodies, batchId, talked, busy } = await bodiesOf(t, 'outdial')
  const ended = bodies.filter(({ type }) => type === 'attempt.ended')
  assert.equal(ended.length, 2)
  const { timestamp, data } = ended[0]
  assert.equal(timestamp, new Date(start + 5_200).toISOString())
  assert.deepEqual(data.batch, { id: batchId, name: 'March', status: 'running' })
  assert.equal(data.disposition, 'answered')
  const { call } = data
  assert.deepEqual(
    [call.id, call.number, call.callerId, call.talkMs, call.results, call.variables, call.maxAttempts],
    [talked.attemptId, talked.number, '+12025550100', 4_200, { interested: true }, { row: 1 }, 3],
  )
  assert.deepEqual(
    call.transcript.map(({ message }: { message: string }) => message),
    ['Hello.', 'Hi.'],
  )
  assert.equal(call.recordingUrl, `https://calls.example.com/api/v1/attempts/${call.id}/recording`)
  const other = ended[1].data.call
  assert.deepEqual(
    [other.id, other.nextRetryAt, other.transcript, other.recordingUrl],
    [busy.attemptId, new Date(start + 300_000).toISOString(), null, null],
  )
  assert.ok(!bodies.some(({ type }) => type === 'attempt.answered'), 'only for those who name it')
})

test('Formant’s body', async t => {
  const { bodies, batchId, talked, busy } = await bodiesOf(t, 'formant')
  assert.equal(bodies.length, 2)
  const [completed, failed] = bodies
  assert.deepEqual(completed, {
    event_id: completed.event_id,
    event_type: 'call.completed',
    timestamp: '2030-01-01T00:00:05Z',
    data: {
      call: {
        agent_id: 456,
        call_parameters: { customer_phone: talked.number, row: 1 },
        conversation_id: talked.recipientId,
        duration_seconds: 4.2,
        started_at: '2030-01-01T00:00:00Z',
        ended_at: '2030-01-01T00:00:05Z',
        failure_reason: null,
        from_phone: '+12025550100',
        to_phone: talked.number,
        recording_url: `https://calls.example.com/api/v1/attempts/${talked.attemptId}/recording`,
        status: 'completed',
        trace_id: `batch-${batchId}-1`,
      },
      results: { interested: true },
      retry: { attempt_number: 1, is_final_attempt: true, max_attempts: 3, next_retry_at: null },
      retry_context: { batch_call_id: batchId, recipient_id: talked.recipientId },
      transcript: [
        { role: 'agent', message: 'Hello.' },
        { role: 'human', message: 'Hi.' },
      ],
    },
  })
  assert.equal(failed.event_type, 'call.busy')
  assert.deepEqual(
    [failed.data.call.failure_reason, failed.data.call.status, failed.data.call.to_phone],
    ['sip 486 Busy Here', 'busy', busy.number],
  )
  assert.deepEqual(failed.data.retry, {
    attempt_number: 1,
    is_final_attempt: false,
    max_attempts: 3,
    next_retry_at: '2030-01-01T00:05:00Z',
  })
})

test('DialNexa’s body is the call log’s entry', async t => {
  const { bodies, batchId, talked } = await bodiesOf(t, 'dialnexa')
  const [completed, failed] = bodies
  assert.deepEqual(
    [completed.event, failed.event, failed.data.status, completed.created_at],
    ['call.completed', 'call.failed', 'busy', '2030-01-01T00:00:05.200Z'],
  )
  assert.deepEqual(
    [completed.data.id, completed.data.batch_id, completed.data.status, completed.data.phone_number],
    [`call_${talked.attemptId}`, `batch_${batchId}`, 'completed', talked.number],
  )
  assert.equal(completed.data.transcript.length, 2)
})

test('TalkifAI’s bodies: started, ended, its transcript, failed', async t => {
  const { bodies, talked } = await bodiesOf(t, 'talkifai')
  assert.deepEqual(
    bodies.map(({ type }) => type),
    ['call.started', 'call.ended', 'transcript.ready', 'call.failed'],
  )
  assert.equal(new Set(bodies.map(({ id }) => id)).size, 4)
  const [started, ended, transcript, failed] = bodies
  assert.deepEqual(Object.keys(ended), ['id', 'type', 'created', 'data'])
  assert.equal(started.created, start / 1_000 + 1)
  assert.deepEqual(
    [ended.data.callId, ended.data.status, ended.data.callDuration, ended.data.attemptCount],
    [`call_${talked.attemptId}`, 'completed', 4.2, 1],
  )
  assert.deepEqual(transcript.data.transcript[1], {
    role: 'human',
    message: 'Hi.',
    at: '2030-01-01T00:00:01Z',
  })
  assert.deepEqual(
    [failed.data.status, failed.data.errorCode, failed.data.nextRetryAt],
    ['busy', '486', '2030-01-01T00:05:00Z'],
  )
})

test('a call without a word has no transcript to tell of', async t => {
  const house = await openHouse(t, () => answered(200))
  const { id } = await house.addEndpoint({ format: 'talkifai', events: ['transcript.ready'] })
  await house.callEverybody(1)
  await house.pass(1)
  assert.deepEqual(house.sent, [])
  assert.deepEqual(
    (await house.deliveries(id)).map(({ status }) => status),
    ['skipped'],
  )
})

test('a batch that was deleted meanwhile is told of by the event alone, or not at all', async t => {
  const house = await openHouse(t, () => answered(200))
  await house.addEndpoint({ url: 'http://127.0.0.1:1/ours' })
  await house.addEndpoint({ url: 'http://127.0.0.1:1/theirs', format: 'formant', events: null })
  const batchId = await house.callEverybody(1)
  await house.store.deleteBatch(house.workspace.id, batchId, start)
  await house.pass(1)
  assert.deepEqual(
    house.sent.map(({ url, json }) => [url, json.data.disposition, json.data.call]),
    [['http://127.0.0.1:1/ours', 'answered', undefined]],
  )
})
