// Batches that are really called: what a carrier's answer does to the person, the number and the trunk.
import assert from 'node:assert/strict'
import type { RetryPolicy } from '../../src/domain/retry.ts'
import { type CallingHouse, openCallingHouse } from './calling-house.ts'
import { startKamailio } from './kamailio.ts'
import { peerTest, startSipp } from './peers.ts'

const atOnce: RetryPolicy = {
  maxAttempts: 2,
  delaysMs: { busy: [10], 'no-answer': [10], declined: [10], blocked: [10], 'carrier-failure': [10] },
}

/** Numbers whose last three digits a carrier may go by. */
function numbers(count: number, ending: string, from = 2_000): string[] {
  return Array.from({ length: count }, (_, index) => `+1202${from + index}${ending}`)
}

async function attemptsOf(house: CallingHouse) {
  return house.store.listAttempts(house.workspaceId, {}, { limit: 10_000 })
}

async function callAll(
  t: Parameters<typeof openCallingHouse>[0],
  answer: Record<string, string>,
  calls: number,
) {
  const house = await openCallingHouse(t)
  const peer = await startSipp(t, {
    scenario: 'final',
    calls,
    fill: { HEADER: 'X-Nothing: else', ...answer },
  })
  return { house, peer, trunk: { address: `127.0.0.1:${peer.port}` } }
}

const programs = ['kamailio', 'sipp', 'openssl'] as const

peerTest(
  '300 people at 50 calls a second, over a carrier that demands digest: all counted right',
  programs,
  async t => {
    const house = await openCallingHouse(t)
    const endings = [
      ...numbers(30, '486', 2_000),
      ...numbers(30, '404', 3_000),
      ...numbers(30, '603', 4_000),
      ...numbers(210, '100', 5_000),
    ]
    const peer = await startSipp(t, { scenario: 'hangs-up', calls: 210 })
    const carrier = await startKamailio(t, { nextPort: peer.port, callsPerSecond: 60 })
    const batch = await house.call({
      numbers: endings,
      callsPerSecond: 50,
      trunk: { address: `127.0.0.1:${carrier.port}`, username: 'trunk1', password: 's3cret' },
    })
    assert.equal(batch.status, 'completed')
    const { counts, attempts } = batch.progress
    assert.deepEqual(
      [attempts, counts.answered, counts.busy, counts.unreachable, counts.declined],
      [300, 210, 30, 30, 30],
    )
    const dialled = (await attemptsOf(house)).map(({ callId }) => callId)
    assert.deepEqual(carrier.calls().sort(), dialled.sort())
    assert.equal(await peer.done, '')
    assert.deepEqual([house.agent.figures().calls, house.media.figures().openLines], [0, 0])
  },
)

peerTest('a busy person is rung again, and no oftener than the batch says', ['sipp'], async t => {
  const { house, peer, trunk } = await callAll(t, { STATUS: '486', PHRASE: 'Busy Here' }, 2)
  const batch = await house.call({ numbers: numbers(1, '100'), trunk, retry: atOnce })
  assert.deepEqual([batch.progress.counts.busy, batch.progress.attempts, await peer.done], [1, 2, ''])
})

peerTest('a number that does not exist is not rung again', ['sipp'], async t => {
  const { house, trunk } = await callAll(t, { STATUS: '404', PHRASE: 'Not Found' }, 1)
  const batch = await house.call({ numbers: numbers(1, '100'), trunk, retry: atOnce })
  assert.deepEqual([batch.progress.counts.unreachable, batch.progress.attempts], [1, 1])
})

peerTest('a person whose network says that they want no calls is never called again', ['sipp'], async t => {
  const { house, trunk } = await callAll(t, { STATUS: '607', PHRASE: 'Unwanted' }, 1)
  const [number = ''] = numbers(1, '100')
  const batch = await house.call({ numbers: [number], trunk, retry: atOnce })
  assert.equal(batch.progress.attempts, 1)
  const suppressed = await house.store.listSuppressions(house.workspaceId, { limit: 10 })
  assert.deepEqual(
    suppressed.map(one => one.number),
    [number],
  )
})

peerTest(
  'a trunk that refuses everybody is not called on, and nobody loses an attempt',
  ['sipp'],
  async t => {
    const { house, trunk } = await callAll(t, { STATUS: '403', PHRASE: 'Forbidden' }, 20)
    void house.call({ numbers: numbers(20, '100'), trunk, callsPerSecond: 100 })
    const [opened] = await trunkOnce(house, one => one.breakerUntil !== null)
    assert.match(opened?.breakerReason ?? '', /403/)
  },
)

peerTest(
  'a trunk that asks for patience is slowed, and the person is put back unspent',
  ['sipp'],
  async t => {
    const { house, trunk } = await callAll(t, { STATUS: '429', PHRASE: 'Too Many Requests' }, 1)
    void house.call({ numbers: numbers(1, '100'), trunk, callsPerSecond: 100 })
    const [slowed] = await trunkOnce(house, one => one.slowedCallsPerSecond !== null)
    assert.notEqual(slowed?.slowedCallsPerSecond, null)
  },
)

/** The trunks, as soon as one of them is as wanted. */
async function trunkOnce(
  { store, workspaceId }: CallingHouse,
  isWanted: (trunk: Awaited<ReturnType<CallingHouse['store']['listTrunks']>>[number]) => boolean,
) {
  const found = Promise.withResolvers<Awaited<ReturnType<typeof store.listTrunks>>>()
  const look = async () => {
    const trunks = (await store.listTrunks(workspaceId, { limit: 10 })).filter(isWanted)
    if (trunks.length > 0) found.resolve(trunks)
  }
  const unsubscribe = store.onEvents(() => void look())
  await look()
  return found.promise.finally(unsubscribe)
}
