// People who must not be called, and people who stand in several lists.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { openSwitchboard, people, type Switchboard, startAt } from './switchboard.ts'

const minute = 60_000
const suppress = (board: Switchboard, numbers: string[]) =>
  board.store.suppress(board.workspaceId, numbers, 'asked for it', board.clock.now())

test('who is suppressed while queued is never dialled, and the batch still completes', async t => {
  const board = await openSwitchboard(t, { maxConcurrentCalls: 2 })
  const line = await board.addLine()
  await board.addBatch('list', { people: people(10), line })
  board.dial()
  await suppress(board, people(3, 90, 7))
  await board.finish()
  for (const to of people(3, 90, 7)) assert.deepEqual(board.carrier.of({ to }), [])
  assert.deepEqual(await board.standings('list'), { answered: 7, suppressed: 3 })
})

test('who is suppressed while the call waits for its slot is not dialled', async t => {
  const board = await openSwitchboard(t)
  const line = await board.addLine({ callsPerSecond: 10 })
  await board.addBatch('list', { people: people(12), line })
  board.dial()
  await board.pass(950)
  // The slot at one second is reserved already, a quarter of a second ahead.
  const { counts } = (await board.batch('list')).progress
  assert.ok(counts.calling > board.carrier.open())
  const next = people(12).find(to => board.carrier.of({ to }).length === 0)!
  await suppress(board, [next])
  await board.finish()
  assert.deepEqual(board.carrier.of({ to: next }), [])
  assert.deepEqual(await board.standings('list'), { answered: 11, suppressed: 1 })
})

test('who is suppressed during a call ends it, and is not rung again', async t => {
  const board = await openSwitchboard(t)
  const line = await board.addLine()
  const retry = { maxAttempts: 3, delaysMs: { 'no-answer': [minute] } }
  const [one, other] = people(2, 93)
  await board.addBatch('list', { people: [one!, other!], line, retry })
  board.dial()
  await board.pass(5_000)
  await suppress(board, [one!])
  await board.finish()
  assert.equal(board.carrier.of({ to: one! }).length, 1)
  assert.equal(board.carrier.of({ to: other! }).length, 3)
  assert.deepEqual(await board.standings('list'), { 'no-answer': 1, suppressed: 1 })
})

test('who waits for a retry and is suppressed is not rung again; who is taken off the list in time is', async t => {
  const board = await openSwitchboard(t)
  const line = await board.addLine()
  const retry = { maxAttempts: 2, delaysMs: { busy: [minute] } }
  const [gone, back] = people(2, 83)
  await board.addBatch('list', { people: [gone!], line, retry })
  board.dial()
  await board.pass(30_000)
  await suppress(board, [gone!, back!])
  await board.store.unsuppress(board.workspaceId, back!, board.clock.now())
  await board.addBatch('late', { people: [back!], line, retry })
  await board.finish()
  assert.deepEqual(await board.standings('list'), { suppressed: 1 })
  assert.deepEqual(await board.standings('late'), { answered: 1 })
})

test('a person who says no in one batch is not rung by another', async t => {
  const board = await openSwitchboard(t)
  const line = await board.addLine()
  const [to] = people(1, 88)
  await board.addBatch('first', { people: [to!], line })
  board.dial()
  await board.pass(500)
  await board.addBatch('second', { people: [to!, ...people(3, 90, 5)], line })
  await board.finish()
  assert.equal(board.carrier.of({ to: to! }).length, 1)
  assert.deepEqual(await board.standings('second'), { answered: 3, suppressed: 1 })
})

test('a number that stands in several batches is called by one at a time, and by each of them', async t => {
  const board = await openSwitchboard(t)
  const line = await board.addLine()
  const names = ['a', 'b', 'c']
  for (const name of names) await board.addBatch(name, { people: people(20), line })
  board.dial()
  await board.finish()
  for (const name of names) assert.deepEqual(await board.standings(name), { answered: 20 })
  for (const to of people(20)) {
    const calls = board.carrier.of({ to })
    assert.equal(calls.length, 3)
    for (const [index, call] of calls.slice(1).entries()) assert.ok(call.dialledAt >= calls[index]!.endedAt!)
  }
  // Ten seconds a call; whoever finds the number busy looks again after two.
  assert.ok(board.clock.now() - startAt <= 36_000)
})

test('an open batch takes people while it runs, waits for more, and completes only after it is closed', async t => {
  const board = await openSwitchboard(t)
  const line = await board.addLine()
  const id = await board.addBatch('open', { people: people(3), line, open: true })
  const { workspaceId, store } = board
  board.dial()
  await board.pass(minute)
  assert.equal((await board.batch('open')).status, 'running')
  assert.deepEqual(await board.standings('open'), { answered: 3 })
  const rows = [...people(2), ...people(2, 90, 10)].map((number, index) => {
    const variablesJson = '{"batch":"open","zone":"Asia/Kolkata"}'
    return { rowNumber: index + 1, number, zone: 'Asia/Kolkata', variablesJson }
  })
  const added = await store.addRecipients(workspaceId, id, rows, [], rows.length, board.clock.now())
  assert.deepEqual([added.accepted, added.duplicate], [2, 2])
  await board.pass(0)
  assert.equal(board.carrier.open('batch:open'), 2)
  await board.pass(minute)
  assert.equal((await board.batch('open')).status, 'running')
  await store.closeBatch(workspaceId, id, board.clock.now())
  assert.equal((await board.batch('open')).status, 'completed')
  assert.deepEqual(await board.standings('open'), { answered: 5 })
})

test('an open batch that is closed while it calls completes with its last call', async t => {
  const board = await openSwitchboard(t)
  const line = await board.addLine()
  const id = await board.addBatch('open', { people: people(3), line, open: true })
  board.dial()
  await board.pass(3_000)
  await board.store.closeBatch(board.workspaceId, id, board.clock.now())
  assert.equal((await board.batch('open')).status, 'running')
  await board.finish()
  assert.equal(board.clock.now() - startAt, 10_000)
})
