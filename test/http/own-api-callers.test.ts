// Our own API: a batch that calls from several numbers, their caps, and why it waits.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { firstRestMs } from '../../src/domain/caller-choice.ts'
import { classify, noEvidence } from '../../src/domain/outcome.ts'
import { addCaller, formWith, type RunningServer, runServer, twoPeople } from './running-server.ts'

const recipients = [{ phone: '+12025550190' }, { phone: '+12025550191' }]

async function addNumber(server: RunningServer, fields: object): Promise<number> {
  const answer = await server.send('POST', '/api/v1/phone-numbers', { payload: fields })
  assert.equal(answer.statusCode, 201)
  return answer.json().id
}

const create = (server: RunningServer, fields: object) =>
  server.send('POST', '/api/v1/batches', { payload: { agentId: '456', recipients, ...fields } })

test('a batch names several numbers by id, alias or number, or all of a trunk', async t => {
  const server = await runServer(t)
  await addCaller(server)
  const second = await addNumber(server, { e164: '+12025550111', maxCallsPerDay: 50, aliases: ['east'] })
  const listed = (await server.send('GET', '/api/v1/phone-numbers')).json().data
  assert.deepEqual(
    listed.map((number: Record<string, unknown>) => [number.maxCallsPerDay, number.restingUntil]),
    [
      [null, null],
      [50, null],
    ],
  )
  const numbersOf = async (fields: object) => {
    const { phoneNumberId, phoneNumberIds } = (await create(server, fields)).json()
    return [phoneNumberId, phoneNumberIds]
  }
  assert.deepEqual(await numbersOf({ name: 'a', phoneNumberIds: ['phone_abc123', 'east', second] }), [
    1,
    [1, 2],
  ])
  assert.deepEqual(await numbersOf({ name: 'b', phoneNumberIds: ['+12025550111'] }), [2, [2]])
  assert.deepEqual(await numbersOf({ name: 'c', trunkId: 1 }), [1, [1, 2]])
  assert.deepEqual(await numbersOf({ name: 'd' }), [1, [1]])
  const form = formWith({ agentId: '456', name: 'e', phoneNumberIds: '["east","phone_abc123"]' }, twoPeople)
  const sent = await server.send('POST', '/api/v1/batches', { payload: form })
  assert.deepEqual([sent.json().phoneNumberId, sent.json().phoneNumberIds], [2, [1, 2]])
})

test('numbers that cannot call for one batch are refused in one sentence', async t => {
  const server = await runServer(t)
  await addCaller(server)
  const trunkId = (await server.send('POST', '/api/v1/trunks', { payload: { name: 'other' } })).json().id
  const refusal = async (fields: object) => {
    const { statusCode, ...answer } = await create(server, fields)
    return [statusCode, answer.json().code, answer.json().detail] as const
  }
  assert.deepEqual((await refusal({ trunkId })).slice(0, 2), [400, 'trunk_without_numbers'])
  const far = await addNumber(server, { e164: '+12025550111', trunkId })
  const several = await refusal({ phoneNumberIds: [1, far] })
  assert.deepEqual(several.slice(0, 2), [400, 'several_trunks'])
  assert.match(several[2], new RegExp(`different trunks \\(1, ${trunkId}\\)`))
  assert.deepEqual((await refusal({ phoneNumberIds: [1, 'nobody'] })).slice(0, 2), [
    404,
    'phone_number_not_found',
  ])
  assert.deepEqual((await refusal({ trunkId: 99 })).slice(0, 2), [404, 'trunk_not_found'])
  for (const fields of [
    { phoneNumberIds: [] },
    { phoneNumberIds: [1], phoneNumberId: 1 },
    { phoneNumberIds: 'x' },
  ])
    assert.deepEqual((await refusal(fields)).slice(0, 2), [400, 'invalid_request'])
  const wrong = await server.send('POST', '/api/v1/phone-numbers', {
    payload: { e164: '+12025550112', maxCallsPerDay: 0 },
  })
  assert.equal(wrong.json().code, 'invalid_request')
})

test('the report says which number rests, and what holds the batch while all of them do', async t => {
  const server = await runServer(t)
  await addCaller(server)
  const { id } = (await create(server, {})).json()
  const report = async () => (await server.send('GET', `/api/v1/batches/${id}/report`)).json()
  const free = { phoneNumberId: 1, e164: '+12025550100', maxCallsPerDay: null, callsLastDay: null }
  const before = await report()
  assert.deepEqual([before.heldBy, before.heldUntil], [null, null])
  assert.deepEqual(before.callers, [{ ...free, heldBy: null, heldUntil: null }])

  const now = Date.now()
  const claim = { now, nodeId: 'node', leaseMs: 60_000, maxClaims: 1, horizonMs: 0 }
  const attemptId = (await server.store.claim(claim)).claims[0]!.attemptId
  await server.store.placeCalls([{ attemptId, callId: 'call' }], 'node', now)
  const outcome = classify({ ...noEvidence, sipStatus: 608 })
  const ended = { attemptId, outcome, answeredAt: null, endedAt: now, costMillicents: 0, suppress: false }
  await server.store.endAttempts([{ ...ended, next: { kind: 'finish' }, callerFlagged: true }], now)
  const heldUntil = new Date(now + firstRestMs).toISOString()
  const held = await report()
  assert.deepEqual([held.heldBy, held.heldUntil], ['resting', heldUntil])
  assert.deepEqual(held.callers, [{ ...free, heldBy: 'resting', heldUntil }])
  await server.send('POST', `/api/v1/batches/${id}/pause`)
  assert.equal((await report()).heldBy, null, 'it is paused: that is why')
})
