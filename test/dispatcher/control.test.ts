// Never ignored: pause, resume, cancel and the emergency stop, effective before the next dial.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { slowStore } from './interposed-store.ts'
import { openSwitchboard, people, type Switchboard, startAt } from './switchboard.ts'

const minute = 60_000
const idOf = (board: Switchboard, name: string) => board.batches.get(name)!.id
const pause = (board: Switchboard, name: string) =>
  board.store.pauseBatch(board.workspaceId, idOf(board, name), 'user', board.clock.now())
const resume = (board: Switchboard, name: string) =>
  board.store.resumeBatch(board.workspaceId, idOf(board, name), board.clock.now())
const cancel = (board: Switchboard, name: string) =>
  board.store.cancelBatch(board.workspaceId, idOf(board, name), board.clock.now())
const stopAll = (board: Switchboard, stopped: boolean) =>
  board.store.setWorkspaceStopped(board.workspaceId, stopped, board.clock.now())

test('after a pause nothing is dialled and running calls end; resume goes on with those not called yet', async t => {
  const board = await openSwitchboard(t, { maxConcurrentCalls: 5 })
  const line = await board.addLine()
  await board.addBatch('list', { people: people(40), line })
  board.dial()
  await board.pass(25_000)
  await pause(board, 'list')
  const placed = board.carrier.calls.length
  await board.pass(10 * minute)
  assert.deepEqual([board.carrier.calls.length, board.carrier.open()], [placed, 0])
  assert.deepEqual(await board.standings('list'), { queued: 40 - placed, answered: placed })
  await resume(board, 'list')
  await board.finish()
  assert.equal(board.carrier.calls.length, 40)
  assert.deepEqual(await board.standings('list'), { answered: 40 })
})

// The instants lie around a slot of the trunk, where claims wait, are placed, or have just left.
for (const offsetMs of [-1, 0, 1, 50, 99])
  test(`a pause ${offsetMs} ms after a slot is kept by calls that wait for theirs`, async t => {
    const board = await openSwitchboard(t)
    const line = await board.addLine({ callsPerSecond: 10 })
    await board.addBatch('list', { people: people(60), line })
    board.dial()
    const paused = Promise.withResolvers<number>()
    board.clock.at(startAt + 2_000 + offsetMs, () => {
      void pause(board, 'list').then(() => paused.resolve(board.carrier.calls.length))
    })
    await board.pass(minute)
    assert.equal(board.carrier.calls.length, await paused.promise)
    assert.equal((await board.standings('list')).queued, 60 - board.carrier.calls.length)
    await resume(board, 'list')
    await board.finish()
    assert.deepEqual(await board.standings('list'), { answered: 60 })
  })

test('a call that is placed on disk and still waits for its spacing is not dialled after a pause', async t => {
  for (const atMs of [900, 960, 1_010, 1_080, 1_130]) {
    const board = await openSwitchboard(t, {
      // Calls are placed several at a time on so slow a disk, and wait for each other.
      wrapStore: (store, clock) => slowStore(store, 'placeCalls', 250, clock),
    })
    const line = await board.addLine({ callsPerSecond: 10 })
    await board.addBatch('list', { people: people(30), line })
    board.dial()
    await board.pass(atMs)
    await pause(board, 'list')
    const placed = board.carrier.calls.length
    // What was committed before the pause, and not yet answered, is dialled at once or not at all.
    await board.pass(0)
    await board.pass(minute)
    assert.ok(board.carrier.calls.length <= placed + 1, `paused at ${atMs} ms`)
    assert.equal((await board.standings('list')).queued, 30 - board.carrier.calls.length)
    await resume(board, 'list')
    await board.finish()
    assert.equal((await board.batch('list')).progress.attempts, 30)
  }
})

test('a pause in the very instant of the first dials leaves no call behind it', async t => {
  for (let hops = 0; hops < 12; hops++) {
    const board = await openSwitchboard(t)
    const line = await board.addLine()
    await board.addBatch('list', { people: people(10), line, startAs: 'draft' })
    board.dial()
    await board.pass(1_000)
    await board.store.startBatch(board.workspaceId, idOf(board, 'list'), board.clock.now())
    for (let hop = 0; hop < hops; hop++) await Promise.resolve()
    await pause(board, 'list')
    const placed = board.carrier.calls.length
    await board.pass(minute)
    assert.equal(board.carrier.calls.length, placed, `paused after ${hops} turns`)
    assert.equal((await board.standings('list')).queued ?? 0, 10 - placed)
  }
})

test('a batch that is paused while retries wait rings nobody; these are due at once when it resumes', async t => {
  const board = await openSwitchboard(t)
  const line = await board.addLine()
  const retry = { maxAttempts: 2, delaysMs: { busy: [minute] } }
  await board.addBatch('busy', { people: people(4, 83), line, retry })
  board.dial()
  await board.pass(1_000)
  await pause(board, 'busy')
  await board.pass(5 * minute)
  assert.equal(board.carrier.calls.length, 4)
  await resume(board, 'busy')
  await board.finish()
  assert.equal(board.carrier.calls[4]!.dialledAt, startAt + 5 * minute + 1_000)
})

test('a batch whose last calls end while it is paused is complete', async t => {
  const board = await openSwitchboard(t)
  const line = await board.addLine()
  await board.addBatch('list', { people: people(4), line })
  board.dial()
  await board.pass(2_000)
  await pause(board, 'list')
  await board.finish()
  assert.equal((await board.batch('list')).status, 'completed')
})

test('cancel drops who waits, lets running calls end, and rings nobody again', async t => {
  const board = await openSwitchboard(t, { maxConcurrentCalls: 6 })
  const line = await board.addLine({ settings: { ringOutMs: [9_000, 9_000] } })
  const retry = { maxAttempts: 5, delaysMs: { busy: [30_000], 'no-answer': [5_000] } }
  const numbers = [...people(3, 92), ...people(3, 93, 3), ...people(30, 90, 10)]
  await board.addBatch('list', { people: numbers, line, retry })
  board.dial()
  await board.pass(5_000)
  const { dropped } = (await cancel(board, 'list'))!
  assert.equal(board.carrier.open(), 6)
  const placed = board.carrier.calls.length
  await board.pass(10 * minute)
  assert.equal(board.carrier.calls.length, placed)
  const { cancelled, ...called } = await board.standings('list')
  assert.equal(cancelled, dropped)
  // Three were busy before and waited; the others' calls ended in their own way.
  assert.deepEqual(called, { 'no-answer': 3, answered: 3 })
  assert.deepEqual((await board.eventTypes()).slice(-1), ['batch.cancelled'])
})

test('cancel also takes those who wait for a slot of the trunk', async t => {
  const board = await openSwitchboard(t)
  const line = await board.addLine({ callsPerSecond: 10 })
  await board.addBatch('list', { people: people(60), line })
  board.dial()
  await board.pass(2_010)
  await cancel(board, 'list')
  const placed = board.carrier.calls.length
  await board.finish()
  assert.equal(board.carrier.calls.length, placed)
  assert.deepEqual(await board.standings('list'), { answered: placed, cancelled: 60 - placed })
})

test('the emergency stop holds every batch of the workspace until it is lifted', async t => {
  const board = await openSwitchboard(t, { maxConcurrentCalls: 8 })
  const line = await board.addLine()
  await board.addBatch('a', { people: people(20), line })
  const other = people(20, 90, 100)
  await board.addBatch('b', { people: other, line, scheduledAt: startAt + 2 * minute })
  board.dial()
  await board.pass(12_000)
  await stopAll(board, true)
  const placed = board.carrier.calls.length
  await board.pass(10 * minute)
  assert.equal(board.carrier.calls.length, placed)
  await stopAll(board, false)
  await board.pass(0)
  assert.ok(board.carrier.calls.length > placed)
  await board.finish()
  assert.equal(board.carrier.calls.length, 40)
})

test('a batch that was paused before its start is scheduled again when it resumes early, and starts on time', async t => {
  const board = await openSwitchboard(t)
  const line = await board.addLine()
  await board.addBatch('later', { people: people(2), line, scheduledAt: startAt + 5 * minute })
  board.dial()
  await pause(board, 'later')
  await board.pass(minute)
  await resume(board, 'later')
  assert.equal((await board.batch('later')).status, 'scheduled')
  await board.finish()
  assert.equal(board.carrier.calls[0]!.dialledAt, startAt + 5 * minute)
})

test('a batch that is started twice, paused and resumed in one instant calls everybody once', async t => {
  const board = await openSwitchboard(t, { maxConcurrentCalls: 3 })
  const line = await board.addLine()
  await board.addBatch('list', { people: people(9), line })
  board.dial()
  await Promise.all([
    pause(board, 'list'),
    resume(board, 'list'),
    pause(board, 'list'),
    resume(board, 'list'),
  ])
  await board.finish()
  assert.equal(board.carrier.calls.length, 9)
})
