// The end of a process that may choose it: nothing more is dialled, calls may end, the rest is hung up and settled.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { FailingStore, slowStore } from './interposed-store.ts'
import { minSpacing } from './promises.ts'
import { ScriptedCarrier } from './scripted-carrier.ts'
import { openSwitchboard, people, startAt } from './switchboard.ts'

const second = 1_000

test('a stop lets calls end that end in time, dials nothing more, and resolves with the last of them', async t => {
  const board = await openSwitchboard(t, { maxConcurrentCalls: 4 })
  const line = await board.addLine()
  await board.addBatch('list', { people: people(20), line })
  const dispatcher = board.dial()
  await board.pass(5 * second)
  let stoppedAt = 0
  void dispatcher.stop({ graceMs: 60 * second }).then(() => {
    stoppedAt = board.clock.now()
  })
  await board.pass(120 * second)
  assert.equal(stoppedAt - startAt, 10 * second)
  assert.equal(board.carrier.calls.length, 4)
  assert.deepEqual(await board.standings('list'), { answered: 4, queued: 16 })
  assert.equal(await board.store.countOpenAttempts(), 0)
  board.dial()
  await board.finish()
  assert.equal(board.carrier.calls.length, 20)
})

test('calls that do not end within the grace are hung up: unanswered ones are retried, answered ones are not', async t => {
  const board = await openSwitchboard(t, { maxConcurrentCalls: 6 })
  const line = await board.addLine()
  const retry = { maxAttempts: 2, delaysMs: { lost: [60 * second], 'no-answer': [second] } }
  await board.addBatch('list', { people: [...people(3), ...people(3, 93, 3)], line, retry })
  const dispatcher = board.dial()
  await board.pass(4 * second)
  const stopped = dispatcher.stop({ graceMs: 2 * second })
  await board.pass(5 * second)
  await stopped
  assert.equal(board.carrier.open(), 0)
  assert.deepEqual(await board.standings('list'), { lost: 3, waiting: 3 })
  board.dial()
  await board.finish()
  assert.equal(board.carrier.calls.length, 9)
  assert.deepEqual(await board.standings('list'), { lost: 3, 'no-answer': 3 })
})

test('a stop gives back unspent what waits for a slot', async t => {
  const board = await openSwitchboard(t)
  const line = await board.addLine({ callsPerSecond: 20 })
  await board.addBatch('list', { people: people(40), line })
  const dispatcher = board.dial()
  await board.pass(second - 20)
  const placed = board.carrier.calls.length
  const stopped = dispatcher.stop({ graceMs: 60 * second })
  await board.pass(30 * second)
  await stopped
  assert.equal(board.carrier.calls.length, placed)
  assert.deepEqual(await board.standings('list'), { answered: placed, queued: 40 - placed })
  board.dial()
  await board.finish()
  assert.equal((await board.batch('list')).progress.attempts, 40)
})

test('a stop in the very instant of the first dials leaves nothing half done', async t => {
  for (let hops = 0; hops < 16; hops++) {
    const board = await openSwitchboard(t)
    const line = await board.addLine()
    const id = await board.addBatch('list', { people: people(6), line, startAs: 'draft' })
    const dispatcher = board.dial()
    await board.pass(second)
    await board.store.startBatch(board.workspaceId, id, board.clock.now())
    for (let hop = 0; hop < hops; hop++) await Promise.resolve()
    const placed = board.carrier.calls.length
    const stopped = dispatcher.stop({ graceMs: 60 * second })
    assert.equal(board.carrier.calls.length, placed)
    await board.pass(60 * second)
    await stopped
    assert.equal(board.carrier.calls.length, placed, `stopped after ${hops} turns`)
    assert.equal(await board.store.countOpenAttempts(), 0, `stopped after ${hops} turns`)
    board.dial()
    await board.finish()
    assert.deepEqual(await board.standings('list'), { answered: 6 })
  }
})

test('a call that is placed on disk and waits for its spacing is not dialled after a stop', async t => {
  for (const graceMs of [0, 60 * second])
    for (const atMs of [900, 960, 1_010, 1_080, 1_130]) {
      const board = await openSwitchboard(t, {
        // Calls are placed several at a time on so slow a disk, and wait for each other.
        wrapStore: (store, clock) => slowStore(store, 'placeCalls', 250, clock),
      })
      const line = await board.addLine({ callsPerSecond: 10 })
      await board.addBatch('list', { people: people(40), line })
      const dispatcher = board.dial()
      await board.pass(atMs)
      const placed = board.carrier.calls.length
      const stopped = dispatcher.stop({ graceMs })
      await board.pass(60 * second)
      await stopped
      assert.equal(board.carrier.calls.length, placed)
      assert.equal(await board.store.countOpenAttempts(), 0)
      board.dial()
      await board.finish()
      assert.equal((await board.batch('list')).progress.attempts, 40)
      assert.ok(minSpacing(board.carrier.calls) >= 100)
    }
})

test('a stop does not wait for a carrier that never confirms; the next start settles its calls', async t => {
  let carrier!: ScriptedCarrier
  const board = await openSwitchboard(t, {
    carrier: clock => {
      carrier = new ScriptedCarrier(clock, line => line.after(10, () => line.ring()))
      return carrier
    },
  })
  const line = await board.addLine()
  await board.addBatch('list', { people: people(3), line })
  const dispatcher = board.dial()
  await board.pass(second)
  let stoppedAt = 0
  void dispatcher.stop({ graceMs: second }).then(() => {
    stoppedAt = board.clock.now() - startAt
  })
  await board.pass(4 * second)
  assert.equal(stoppedAt, 4 * second)
  assert.deepEqual(
    carrier.lines.map(({ hangUps }) => hangUps),
    [1, 1, 1],
  )
  carrier.onRescue = () => 'unanswered'
  board.dial()
  await board.finish()
  assert.deepEqual(await board.standings('list'), { lost: 3 })
})

test('a stop leaves no timer behind, also when the store fails and a trunk was slowed', async t => {
  let failing!: FailingStore
  const board = await openSwitchboard(t, {
    wrapStore: store => {
      failing = new FailingStore(store)
      return failing.store
    },
  })
  const line = await board.addLine({ settings: { maxConcurrentCalls: 2 } })
  const retry = { maxAttempts: 2, delaysMs: { busy: [3_600 * second] } }
  await board.addBatch('list', { people: [...people(5), ...people(3, 92, 5)], line, retry })
  const dispatcher = board.dial()
  await board.pass(5 * second)
  failing.fail('endAttempts', 'claim', 'releaseClaims', 'setTrunkSlowed')
  await board.pass(6 * second)
  const stopped = dispatcher.stop({ graceMs: 0 })
  await board.pass(20 * second)
  await stopped
  assert.equal(board.clock.nextAt(), null)
  failing.heal()
  board.dial()
  await board.finish()
})

test('a stop while the carrier is still asked about an earlier life ends without dialling', async t => {
  const board = await openSwitchboard(t, {
    carrier: clock => {
      const carrier = new ScriptedCarrier(clock, line => line.talk(second))
      carrier.onRescue = () => {
        throw new Error('connection refused')
      }
      return carrier
    },
  })
  const line = await board.addLine()
  await board.addBatch('list', { people: people(3), line, maxConcurrentCalls: 1 })
  const { node } = board.dialMortal()
  await board.pass(500)
  node.kill()
  const dispatcher = board.dial()
  await board.pass(3 * second)
  const stopped = dispatcher.stop({ graceMs: 0 })
  await board.pass(5 * second)
  await stopped
  await dispatcher.rescued
  assert.equal(board.carrier.calls.length, 1)
})
