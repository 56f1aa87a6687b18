// A store that fails for a while (a full disk, say): nothing is dialled meanwhile, nothing is lost, calling goes on.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { FailingStore, type StoreMethod, slowStore } from './interposed-store.ts'
import { minSpacing } from './promises.ts'
import { type Closer, openSwitchboard, people } from './switchboard.ts'

const second = 1_000

async function openFailing(t: Closer, count: number) {
  let failing!: FailingStore
  const board = await openSwitchboard(t, {
    maxConcurrentCalls: 5,
    wrapStore: store => {
      failing = new FailingStore(store)
      return failing.store
    },
  })
  const line = await board.addLine()
  await board.addBatch('list', { people: people(count), line })
  const dispatcher = board.dial()
  return { board, dispatcher, failing }
}

const writes: StoreMethod[] = [
  'claim',
  'placeCalls',
  'releaseClaims',
  'recordProgress',
  'endAttempts',
  'mayStillDial',
]

test('while every write fails nothing is dialled; when the store answers again the calls that ended are recorded', async t => {
  const { board, dispatcher, failing } = await openFailing(t, 40)
  await board.pass(25 * second)
  failing.fail(...writes)
  const placed = board.carrier.calls.length
  await board.pass(90 * second)
  assert.equal(board.carrier.calls.length, placed)
  assert.match(dispatcher.figures().storeFailure ?? '', /disk is full/)
  failing.heal()
  await board.pass(2 * second)
  assert.equal(dispatcher.figures().storeFailure, null)
  assert.ok(board.carrier.calls.length > placed)
  await board.finish()
  assert.deepEqual(await board.standings('list'), { answered: 40 })
  assert.equal(board.carrier.calls.length, 40)
})

for (const method of [
  'claim',
  'placeCalls',
  'getTrunk',
  'getAgent',
  'endAttempts',
  'recordProgress',
] as const)
  test(`when only ${method} fails for a while, everybody is called once all the same`, async t => {
    const { board, failing } = await openFailing(t, 30)
    failing.fail(method)
    await board.pass(5 * second)
    failing.heal()
    await board.pass(15 * second)
    failing.fail(method)
    await board.pass(20 * second)
    failing.heal()
    await board.finish()
    assert.ok(failing.failures > 0)
    assert.equal(board.carrier.calls.length, 30)
    assert.deepEqual(await board.standings('list'), { answered: 30 })
  })

test('a claim that could not be placed within its lease goes back, and is called when the store answers again', async t => {
  const { board, failing } = await openFailing(t, 10)
  failing.fail('placeCalls')
  await board.pass(45 * second)
  assert.equal(board.carrier.calls.length, 0)
  failing.heal()
  await board.finish()
  assert.deepEqual(await board.standings('list'), { answered: 10 })
})

for (const method of ['placeCalls', 'endAttempts', 'recordProgress'] as const)
  test(`a ${method} that was committed but whose answer was lost neither loses nor repeats a call`, async t => {
    const { board, failing } = await openFailing(t, 12)
    failing.loseNextAnswer(method)
    await board.pass(15 * second)
    failing.loseNextAnswer(method)
    await board.finish()
    assert.equal(failing.failures, 2)
    assert.equal(board.carrier.calls.length, 12)
    assert.deepEqual(await board.standings('list'), { answered: 12 })
  })

test('a call that waits for its spacing while the store cannot say whether it may leave is put back', async t => {
  let failing!: FailingStore
  const board = await openSwitchboard(t, {
    // Calls are placed several at a time on so slow a disk, and wait for each other.
    wrapStore: (store, clock) => {
      failing = new FailingStore(slowStore(store, 'placeCalls', 250, clock))
      return failing.store
    },
  })
  const line = await board.addLine({ callsPerSecond: 10 })
  await board.addBatch('list', { people: people(40), line })
  board.dial()
  await board.pass(second)
  failing.fail('mayStillDial')
  await board.pass(3 * second)
  assert.ok(failing.failures > 0)
  failing.heal()
  await board.finish()
  assert.ok(minSpacing(board.carrier.calls) >= 100)
  assert.equal(board.carrier.calls.length, 40)
  assert.equal((await board.batch('list')).progress.attempts, 40)
})

test('a store that is away for long is asked about once a second for each thing, not ever more often', async t => {
  let failing!: FailingStore
  const board = await openSwitchboard(t, {
    maxConcurrentCalls: 6,
    wrapStore: store => {
      failing = new FailingStore(store)
      return failing.store
    },
  })
  const line = await board.addLine({ settings: { ringMs: [1_000, 9_000], talkMs: [500, 9_000] } })
  await board.addBatch('list', { people: people(20), line })
  board.dial()
  await board.pass(2 * second)
  failing.fail('claim', 'recordProgress', 'endAttempts')
  await board.pass(15 * second)
  // Progress, ends and a claim once a second, and once more for each thing that happened meanwhile.
  assert.ok(failing.failures < 100, `${failing.failures} questions`)
  failing.heal()
  await board.finish()
  assert.deepEqual(await board.standings('list'), { answered: 20 })
})

test('a breaker that could not be stored is stored when the store answers again', async t => {
  let failing!: FailingStore
  const board = await openSwitchboard(t, {
    maxConcurrentCalls: 3,
    wrapStore: store => {
      failing = new FailingStore(store)
      return failing.store
    },
  })
  const line = await board.addLine()
  await board.addBatch('list', { people: people(50, 86), line })
  board.dial()
  failing.fail('setTrunkBreaker')
  await board.pass(500)
  failing.heal()
  await board.pass(2 * second)
  assert.notEqual((await board.store.getTrunk(line.trunkId))?.breakerUntil, null)
  const placed = board.carrier.calls.length
  await board.pass(20 * second)
  assert.equal(board.carrier.calls.length, placed)
})

test('a store that fails while an earlier life is settled is asked again, and nothing is dialled before', async t => {
  let failing!: FailingStore
  const board = await openSwitchboard(t, {
    wrapStore: store => {
      failing = new FailingStore(store)
      return failing.store
    },
  })
  const line = await board.addLine()
  const retry = { maxAttempts: 2, delaysMs: { lost: [60 * second] } }
  await board.addBatch('list', { people: people(10), line, retry, maxConcurrentCalls: 5 })
  const { node } = board.dialMortal()
  await board.pass(500)
  node.kill()
  board.dial()
  failing.fail('endAttempts')
  await board.pass(10 * second)
  assert.equal(board.carrier.calls.length, 5)
  failing.heal()
  await board.finish()
  assert.deepEqual(await board.standings('list'), { answered: 10 })
  assert.equal(board.carrier.calls.length, 15)
})
