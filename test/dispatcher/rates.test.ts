// Calls per second: the spacing that the carrier sees, and how much of the rate is used.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { waitFor } from '../../src/runtime/wait.ts'
import { interpose, slowStore } from './interposed-store.ts'
import { minSpacing } from './promises.ts'
import { openSwitchboard, people, startAt } from './switchboard.ts'

for (const callsPerSecond of [0.5, 3, 7, 10, 50])
  test(`a trunk of ${callsPerSecond} calls per second is never dialled faster, and close to as fast`, async t => {
    const board = await openSwitchboard(t)
    const line = await board.addLine({ callsPerSecond })
    const count = Math.max(20, callsPerSecond * 20)
    await board.addBatch('list', { people: people(count), line })
    board.dial()
    await board.until(() => board.carrier.calls.length === count)
    assert.ok(minSpacing(board.carrier.calls) >= 1_000 / callsPerSecond)
    // A dial happens on a whole millisecond, the slots of 7 a second do not.
    const usedRate = ((count - 1) * 1_000) / (board.clock.now() - startAt)
    assert.ok(usedRate >= 0.985 * callsPerSecond, `${usedRate} calls per second`)
    await board.finish()
  })

test("a batch's own rate holds beside the trunk's, and others use what it leaves", async t => {
  const board = await openSwitchboard(t)
  const line = await board.addLine({ callsPerSecond: 20 })
  await board.addBatch('slow', { people: people(30), line, callsPerSecond: 1 })
  await board.addBatch('fast', { people: people(2_000, 90, 100), line })
  board.dial()
  await board.pass(20_000 - 1)
  const [slow, fast] = [board.carrier.of({ batch: 'slow' }), board.carrier.of({ batch: 'fast' })]
  assert.ok(minSpacing(slow) >= 1_000)
  assert.ok(minSpacing(board.carrier.calls) >= 50)
  assert.ok(slow.length >= 19, `${slow.length} calls of the slow batch in 20 s`)
  assert.ok(
    slow.length + fast.length >= 0.98 * 400,
    `${slow.length + fast.length} calls of the trunk in 20 s`,
  )
  await board.store.cancelBatch(board.workspaceId, board.batches.get('fast')!.id, board.clock.now())
  await board.finish()
})

test('batches on one paced trunk take turns', async t => {
  const board = await openSwitchboard(t)
  const line = await board.addLine({ callsPerSecond: 10 })
  await board.addBatch('a', { people: people(500), line })
  await board.addBatch('b', { people: people(500, 90, 1_000), line })
  board.dial()
  await board.pass(20_000)
  const [a, b] = [board.carrier.of({ batch: 'a' }).length, board.carrier.of({ batch: 'b' }).length]
  assert.ok(Math.abs(a - b) <= 2, `${a} and ${b} calls`)
  for (const name of ['a', 'b'])
    await board.store.cancelBatch(board.workspaceId, board.batches.get(name)!.id, board.clock.now())
  await board.finish()
})

for (const [commitMs, used] of [
  [10, 0.98],
  [45, 0.9],
  [130, 0.7],
] as const)
  test(`calls every 50 ms keep their spacing where a commit takes ${commitMs} ms, and use ${used * 100}% of the rate`, async t => {
    const board = await openSwitchboard(t, {
      wrapStore: (store, clock) => slowStore(store, 'placeCalls', commitMs, clock),
    })
    const line = await board.addLine({ callsPerSecond: 20 })
    await board.addBatch('list', { people: people(200), line })
    board.dial()
    await board.until(() => board.carrier.calls.length === 200)
    assert.ok(minSpacing(board.carrier.calls) >= 50)
    const usedRate = (199 * 1_000) / (board.clock.now() - startAt)
    assert.ok(usedRate >= used * 20, `${usedRate} calls per second`)
    await board.finish()
  })

test('calls keep their spacing where the question before a late dial takes now longer, now shorter', async t => {
  let asked = 0
  const board = await openSwitchboard(t, {
    wrapStore: (store, clock) =>
      interpose(store, async (method, proceed) => {
        const answer = await proceed()
        if (method === 'placeCalls') await waitFor(clock, 130)
        if (method === 'mayStillDial') await waitFor(clock, asked++ % 2 === 0 ? 170 : 1)
        return answer
      }),
  })
  const line = await board.addLine({ callsPerSecond: 20 })
  await board.addBatch('list', { people: people(200), line })
  board.dial()
  await board.finish()
  assert.equal(board.carrier.calls.length, 200)
  assert.ok(minSpacing(board.carrier.calls) >= 50)
})

test('time that passed unused is not caught up', async t => {
  const board = await openSwitchboard(t, { maxConcurrentCalls: 3 })
  const line = await board.addLine({ callsPerSecond: 5 })
  await board.addBatch('list', { people: people(60), line })
  board.dial()
  await board.finish()
  // Three places of ten seconds are the narrower limit: the rate lies idle most of the time.
  assert.ok(minSpacing(board.carrier.calls) >= 200)
})

test('calls that wait for their slot keep a place, so that pacing never passes a limit', async t => {
  const board = await openSwitchboard(t, { maxConcurrentCalls: 5 })
  const line = await board.addLine({ callsPerSecond: 100, settings: { talkMs: [100, 400] } })
  await board.addBatch('list', { people: people(300), line })
  board.dial()
  await board.finish()
  assert.ok(minSpacing(board.carrier.calls) >= 10)
  assert.equal(board.carrier.maxOpen.get('all'), 5)
})
