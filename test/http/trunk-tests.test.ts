// `POST /trunks/{id}/test`: what is refused before anybody is rung, and what becomes of a test that finds no place.
import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { classify, noEvidence } from '../../src/domain/outcome.ts'
import type { ServerDeps } from '../../src/http/server.ts'
import { type Clock, realClock } from '../../src/runtime/clock.ts'
import { type RunningServer, runServer } from './running-server.ts'

const to = '+12025550163'

interface Bench extends RunningServer {
  trunkId: number
  test(body?: object, trunkId?: number): Promise<{ status: number; body: Record<string, unknown> }>
}

async function bench(t: TestContext, overrides: Partial<ServerDeps> = {}): Promise<Bench> {
  const server = await runServer(t, { probeTrunk: async () => [], ...overrides })
  const trunk = await server.send('POST', '/api/v1/trunks', {
    payload: { name: 'acme', kind: 'sip', settings: { gateways: ['192.0.2.1'] } },
  })
  const trunkId = trunk.json().id
  const number = { e164: '+12025550100', trunkId, aliases: ['main'] }
  await server.send('POST', '/api/v1/phone-numbers', { payload: number })
  return {
    ...server,
    trunkId,
    async test(payload = { to }, id = trunkId) {
      const answer = await server.send('POST', `/api/v1/trunks/${id}/test`, { payload })
      return { status: answer.statusCode, body: answer.json() }
    },
  }
}

/** Resolves with the attempt once the test's batch is there and its one person is claimed. */
async function claimed({ store }: Bench): Promise<number> {
  const found = Promise.withResolvers<number>()
  const look = async () => {
    const now = Date.now()
    const { claims } = await store.claim({ now, nodeId: 'node', leaseMs: 60_000, maxClaims: 9, horizonMs: 0 })
    if (claims[0] !== undefined) found.resolve(claims[0].attemptId)
  }
  const unsubscribe = store.onEvents(() => void look())
  return found.promise.finally(unsubscribe)
}

test('who may not be rung is not rung: each refusal has its code, and no batch is made', async t => {
  const house = await bench(t)
  const refused = async (code: string, body?: object, trunkId?: number) => {
    const answer = await house.test(body, trunkId)
    assert.equal(answer.body.code, code, JSON.stringify(answer.body))
    return answer.status
  }
  assert.equal(await refused('trunk_not_found', { to }, 99), 404)
  assert.equal(await refused('trunk_not_sip', { to }, 1), 400)
  assert.equal(await refused('invalid_phone', { to: 'my telephone' }), 400)
  assert.equal(await refused('agent_not_found', { to, agentId: 'nobody' }), 404)
  assert.equal(await refused('invalid_request', { to, ringTimeoutMs: 120_000 }), 400)
  await house.send('POST', '/api/v1/phone-numbers', { payload: { e164: '+12025550111' } })
  assert.equal(await refused('number_of_another_trunk', { to, phoneNumberId: '+12025550111' }), 400)
  await house.send('POST', '/api/v1/suppressions', { payload: { numbers: [to] } })
  assert.equal(await refused('number_suppressed'), 409)
  await house.store.setTrunkBreaker(house.trunkId, Date.now() + 60_000, 'sip 403 Forbidden', Date.now())
  const resting = await house.test()
  assert.deepEqual([resting.status, resting.body.code], [409, 'trunk_resting'])
  assert.match(String(resting.body.detail), /rests until .*, since its calls failed: sip 403 Forbidden/)
  await house.send('POST', '/api/v1/workspace/stop')
  assert.equal(await refused('workspace_stopped'), 409)
  const batches = await house.send('GET', '/api/v1/batches')
  assert.deepEqual(batches.json().data, [])
  const key = await house.otherKey()
  const others = await house.send('POST', `/api/v1/trunks/${house.trunkId}/test`, { key, payload: {} })
  assert.equal(others.statusCode, 404)
})

test('a trunk without a number says that it needs one', async t => {
  const house = await bench(t)
  const bare = await house.send('POST', '/api/v1/trunks', {
    payload: { name: 'bare', kind: 'sip', settings: { gateways: ['192.0.2.1'] } },
  })
  assert.equal((await house.test({ to }, bare.json().id)).body.code, 'trunk_without_number')
})

test('without a number the gateways are asked; ports that do not open are said', async t => {
  const asked: boolean[] = []
  const house = await bench(t, {
    async probeTrunk(_trunk, ask) {
      asked.push(ask)
      const answer = { remote: '192.0.2.1:5060', status: 200, roundTripMs: 12, failure: null }
      const addresses = ['192.0.2.1:5060']
      return [{ gateway: 'udp:192.0.2.1', addresses, lookupMs: 0, lookupFailure: null, answers: [answer] }]
    },
  })
  const looked = await house.send('POST', `/api/v1/trunks/${house.trunkId}/test`)
  const { verdict, trunkName, batchId, messages, stages } = looked.json()
  assert.deepEqual([verdict, trunkName, batchId, messages], ['ok', 'acme', null, null])
  assert.match(stages.at(-1).says, /answers 200 in 12 ms/)
  assert.deepEqual(asked, [true])
  const closed = await bench(t, { probeTrunk: () => Promise.reject(new Error('listen EADDRINUSE :5060')) })
  const { status, body } = await closed.test({})
  assert.deepEqual([status, body.code], [503, 'sip_not_open'])
  assert.match(String(body.detail), /EADDRINUSE :5060\. See OUTDIAL_SIP_PORT/)
})

test('one call at a time rings over a trunk under test, and the answer is that call', async t => {
  const house = await bench(t)
  const claim = claimed(house)
  const first = house.test()
  const attemptId = await claim
  assert.equal((await house.test()).body.code, 'test_under_way')
  const now = Date.now()
  await house.store.placeCalls([{ attemptId, callId: 'call' }], 'node', now)
  const outcome = classify({ ...noEvidence, sipStatus: 486, phrase: 'Busy Here' })
  const message = { at: now, direction: 'sent', transport: 'udp', remote: '192.0.2.1:5060' } as const
  const trace = {
    messages: [{ ...message, text: 'INVITE sip:1@x SIP/2.0\r\nCSeq: 1 INVITE\r\n\r\n' }],
    leftOut: 0,
  }
  const ended = { attemptId, outcome, answeredAt: null, endedAt: now, costMillicents: 0, suppress: false }
  await house.store.endAttempts([{ ...ended, next: { kind: 'finish' }, trace }], now)
  const { status, body } = await first
  assert.deepEqual([status, body.attemptId, (body.messages as unknown[]).length], [200, attemptId, 1])
  const agent = await house.store.findAgent(house.workspace.id, 'line-test')
  assert.equal(agent?.name, 'Line test')
})

test('a test that finds no place is withdrawn: nobody is rung by it later', async t => {
  // The only wait of more than ten seconds is for a place: it is over as soon as it begins.
  const clock: Clock = {
    ...realClock,
    at: (atMs, task) => realClock.at(atMs > realClock.now() + 10_000 ? 0 : atMs, task),
  }
  const house = await bench(t, { clock })
  const testing = house.test()
  const { status, body } = await testing
  assert.deepEqual([status, body.code], [503, 'test_not_placed'])
  const [batch] = (await house.send('GET', '/api/v1/batches')).json().data
  assert.deepEqual([batch.status, batch.attempts], ['cancelled', 0])
})
