// Formant: single calls, from the request to the conversation they become.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { batchIdOf } from '../../src/domain/recipient-id.ts'
import { openCallingHouse, startAt } from './calling-house.ts'
import { type House, openHouse } from './house.ts'

const path = '/formant/v1/call'
const day = 24 * 3_600_000

const body = (phone: string, fields: object = {}) => ({
  agent_id: 456,
  parameters: [
    { name: 'customer_phone', value: phone },
    { name: 'customer_name', value: 'Rahul' },
  ],
  ...fields,
})

const call = (house: House, phone: string, fields: object = {}) =>
  house.call('POST', path, { json: body(phone, fields) })
const read = async (house: House, id: number) =>
  (await house.call('GET', `/formant/v1/conversations/${id}`)).body.data

test('a call is initiated at once, goes through the dispatcher and ends as a conversation', async t => {
  const house = await openCallingHouse(t)
  const metadata = { order: 'LN-1', tags: ['a', { b: 1 }] }
  const { status, body: answer } = await call(house, '+12025550190', { metadata })
  assert.equal(status, 200)
  const { conversation_id: id, trace_id } = answer.data
  assert.deepEqual(answer.data, {
    agent_id: 456,
    conversation_id: 10_000_001,
    scheduled_for: null,
    status: 'initiated',
    trace_id: 'batch-1-1',
  })
  await house.pass(60_000)
  assert.equal((await read(house, id)).status, 'in_progress')
  await house.finish()
  const conversation = await read(house, id)
  const { start_timestamp, end_timestamp } = conversation
  assert.ok(start_timestamp >= startAt && end_timestamp > start_timestamp + 125_500)
  assert.deepEqual(conversation, {
    agent_id: 456,
    batch_call_id: null,
    call_parameters: { customer_phone: '+12025550190', customer_name: 'Rahul' },
    conversation_id: id,
    created_at: '2026-01-05T10:00:00Z',
    duration_seconds: 125.5,
    end_timestamp,
    failure_reason: null,
    from_phone: '+912234567890',
    metadata,
    recording_url: null,
    results: {},
    scheduled_for: null,
    start_timestamp,
    status: 'completed',
    to_phone: '+12025550190',
    trace_id,
    transcript: [],
  })
})

test('a scheduled call waits for its time, and its conversation is there before it', async t => {
  const house = await openCallingHouse(t)
  const { data } = (await call(house, '+12025550190', { scheduled_for: '2026-01-05T12:00:00Z' })).body
  assert.deepEqual([data.status, data.scheduled_for], ['scheduled', '2026-01-05T12:00:00Z'])
  await house.pass(3_600_000)
  const waiting = await read(house, data.conversation_id)
  assert.deepEqual([waiting.status, waiting.start_timestamp], ['scheduled', null])
  await house.finish()
  const done = await read(house, data.conversation_id)
  assert.deepEqual([done.status, done.start_timestamp], ['completed', Date.UTC(2026, 0, 5, 12)])
})

/** By the last two digits of the number: the status, how many calls it took, and why. */
const endings: [string, status: string, calls: number, reason: RegExp | null][] = [
  ['90', 'completed', 1, null],
  ['88', 'failed', 1, /^sip 607/],
  ['92', 'busy', 3, /^sip 486/],
  ['93', 'no_answer', 3, /^sip 480/],
  ['96', 'unreachable', 1, /^sip 404/],
  ['97', 'telephony_failed', 1, /^sip 5/],
  ['99', 'socket_failure', 1, /^agent failed/],
]

test('each ending has the word of its webhook, and says why', async t => {
  const house = await openCallingHouse(t)
  for (const [ending, status, calls, reason] of endings) {
    const { data } = (await call(house, `+120255501${ending}`)).body
    await house.finish()
    const conversation = await read(house, data.conversation_id)
    assert.equal(conversation.status, status, ending)
    if (reason === null) assert.equal(conversation.failure_reason, null)
    else assert.match(conversation.failure_reason, reason)
    const batch = { batchId: batchIdOf(data.conversation_id) }
    assert.equal(await house.store.countAttempts(house.workspace.id, batch), calls, ending)
  }
})

test('single calls are no batches to a client, though they are kept as such', async t => {
  const house = await openHouse(t)
  await call(house, '+12025550190')
  const listed = await house.call('GET', '/formant/v1/batch-calls')
  assert.deepEqual(listed.body, { data: [], has_more: false, total: 0 })
  assert.equal((await house.call('GET', '/formant/v1/batch-calls/1')).status, 404)
  assert.equal((await house.call('GET', '/dialnexa/v1/batch-calls')).body.meta.total, 0)
})

test('an idempotency_key is good for one call in 24 hours, whatever the second one says', async t => {
  const house = await openCallingHouse(t)
  const first = await call(house, '+12025550190', { idempotency_key: 'one two' })
  assert.equal(first.status, 200)
  for (const phone of ['+12025550190', '+12025550290']) {
    const again = await call(house, phone, { idempotency_key: 'one two' })
    assert.deepEqual([again.status, again.body.error.type], [409, 'duplicate_request'])
    assert.match(again.body.error.message, /conversation 10000001\./)
  }
  assert.equal((await house.call('GET', '/formant/v1/conversations')).body.total, 1)
  await house.pass(day - 1)
  assert.equal((await call(house, '+12025550290', { idempotency_key: 'one two' })).status, 409)
  await house.pass(1)
  assert.equal((await call(house, '+12025550290', { idempotency_key: 'one two' })).status, 200)
})

test('a refused call gives its key back; two at once under one key are one call', async t => {
  const house = await openHouse(t)
  const key = { idempotency_key: 'k' }
  assert.equal((await call(house, '+1202', key)).status, 400)
  const answers = await Promise.all([call(house, '+12025550190', key), call(house, '+12025550190', key)])
  assert.deepEqual(answers.map(({ status }) => status).sort(), [200, 409])
})

test('the same call sent again within a minute is the first one, unless a key says that it is meant', async t => {
  const house = await openHouse(t, { repeatWindowMs: 60_000 })
  const ids = async (fields: object) =>
    (await call(house, '+12025550190', fields)).body.data.conversation_id as number
  const first = await ids({})
  assert.equal(await ids({}), first)
  assert.notEqual(await ids({ metadata: { order: 2 } }), first)
  assert.notEqual(await ids({ idempotency_key: 'meant' }), first)
  const header = { json: body('+12025550190'), headers: { 'idempotency-key': 'header' } }
  const [one, two] = [await house.call('POST', path, header), await house.call('POST', path, header)]
  assert.deepEqual([one.body, two.headers['idempotency-replayed']], [two.body, 'true'])
})

test('without a free place a call is refused with the figures; a scheduled one is taken', async t => {
  const house = await openCallingHouse(t)
  await house.store.updateWorkspace(house.workspace.id, { maxConcurrentCalls: 2 }, startAt)
  const phones = ['+12025550190', '+12025550290', '+12025550390', '+12025550490']
  const answers = await Promise.all(phones.map(phone => call(house, phone)))
  assert.deepEqual(answers.map(({ status }) => status).sort(), [200, 200, 429, 429])
  const { error } = answers.find(({ status }) => status === 429)!.body
  assert.deepEqual(error, {
    message: error.message,
    type: 'concurrent_call_limit_exceeded',
    current_calls: 2,
    max_calls: 2,
  })
  assert.equal((await call(house, phones[3]!, { scheduled_for: '2026-01-05T12:00:00Z' })).status, 200)
  await house.pass(60_000)
  assert.equal((await call(house, '+12025550590')).status, 429, 'both are being talked to')
  await house.finish()
  assert.equal((await call(house, '+12025550590')).status, 200)
})

const wrong: [string, object, RegExp][] = [
  ['no agent', { agent_id: undefined }, /`agent_id`: must be a whole number/],
  ['parameters that are no list', { parameters: {} }, /`parameters`/],
  ['no customer_phone', { parameters: [{ name: 'x', value: 'y' }] }, /must hold customer_phone/],
  ['a name twice', { parameters: [1, 2].map(() => ({ name: 'customer_phone', value: '1' })) }, /twice/],
  ['a value that is a list', { parameters: [{ name: 'customer_phone', value: [] }] }, /`parameters.0.value`/],
  ['metadata that is a list', { metadata: [] }, /`metadata`: must be a JSON object/],
  ['a past start', { scheduled_for: '2020-01-01T00:00:00Z' }, /must be in the future/],
  ['a start that is no time', { scheduled_for: 'soon' }, /`scheduled_for`: must be an ISO 8601/],
  ['a start too far ahead', { scheduled_for: '2026-02-04T10:00:01Z' }, /at most 30 days ahead/],
  ['an empty key', { idempotency_key: ' ' }, /`idempotency_key`/],
]

test('what is wrong with a call is said by its field, and nobody is called', async t => {
  const house = await openCallingHouse(t)
  for (const [what, fields, message] of wrong) {
    const answer = await call(house, '+12025550190', fields)
    assert.deepEqual([answer.status, answer.body.error.type], [400, 'invalid_request'], what)
    assert.match(answer.body.error.message, message, what)
  }
  assert.equal((await call(house, '+12025550190', { scheduled_for: '2026-02-04T10:00:00Z' })).status, 200)
  const unknown = await call(house, '+12025550190', { agent_id: 999 })
  assert.deepEqual([unknown.status, unknown.body.error.type], [404, 'not_found'])
  const bad = await call(house, '12345')
  assert.deepEqual([bad.status, bad.body.error.type], [400, 'invalid_request'])
  assert.match(bad.body.error.message, /invalid phone number/)
  await house.store.suppress(house.workspace.id, ['+12025550290'], 'asked', startAt)
  const suppressed = await call(house, '+12025550290')
  assert.deepEqual([suppressed.status, suppressed.body.error.type], [400, 'invalid_request'])
  assert.match(suppressed.body.error.message, /suppression list/)
  assert.equal((await house.call('POST', path, { text: 'x', key: null })).status, 401)
  const odd = await house.call('POST', path, { text: '{', headers: { 'content-type': 'application/json' } })
  assert.equal(odd.status, 400)
  assert.equal((await house.call('GET', '/formant/v1/conversations')).body.total, 1)
})
