// Places: how many calls may be open at one time, as the carrier saw it, and how well they are used.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { slowStore } from './interposed-store.ts'
import { callMs, type LineOptions, openSwitchboard, people, startAt } from './switchboard.ts'

const scopes: [
  what: string,
  options: { workspace?: number; line?: LineOptions; batch?: number },
  scope: string,
][] = [
  ['the workspace', { workspace: 7 }, 'all'],
  ['the trunk', { line: { trunkMax: 7 } }, 'trunk:'],
  ['the caller ID', { line: { callerMax: 7 } }, 'caller:'],
  ['the agent', { line: { agentMax: 7 } }, 'agent:'],
  ['the batch', { batch: 7 }, 'batch:'],
]
for (const [what, { workspace = 50, line: lineOptions = {}, batch = null }, scope] of scopes)
  test(`the carrier never sees more open calls than ${what} allows, and sees as many`, async t => {
    const board = await openSwitchboard(t, { maxConcurrentCalls: workspace })
    const line = await board.addLine(lineOptions)
    const settings = { line, maxConcurrentCalls: batch }
    await board.addBatch('limited', { people: mixed(100), ...settings })
    board.dial()
    await board.finish()
    const seen = [...board.carrier.maxOpen].filter(([name]) => name.startsWith(scope)).map(([, open]) => open)
    assert.deepEqual(seen, [7])
  })

/** Answered, busy, rung out and failed calls in turn: places become free at all sorts of moments. */
function mixed(count: number, from = 0): string[] {
  const endings = [90, 92, 93, 97]
  return Array.from({ length: count }, (_, index) => people(1, endings[index % 4], from + index)[0]!)
}

test('batches that share a trunk, a caller ID and an agent keep to all limits at once', async t => {
  const board = await openSwitchboard(t, { maxConcurrentCalls: 20 })
  const one = await board.addLine({ trunkMax: 12, callerMax: 9, agentMax: 14 })
  const two = await board.addLine({ trunkId: one.trunkId, callerMax: 8 })
  const three = await board.addLine({ agentId: one.agentId, trunkMax: 10 })
  await board.addBatch('a', { people: mixed(120), line: one, maxConcurrentCalls: 6 })
  await board.addBatch('b', { people: mixed(120, 200), line: two })
  await board.addBatch('c', { people: mixed(120, 400), line: three })
  board.dial()
  await board.finish()
  assert.equal(board.carrier.maxOpen.get('all'), 20)
})

test('a workspace limit that is lowered during the run holds from the next dial on, and is used at once when raised', async t => {
  const board = await openSwitchboard(t, { maxConcurrentCalls: 10 })
  const line = await board.addLine()
  await board.addBatch('list', { people: mixed(200), line })
  board.dial()
  await board.pass(25_000)
  assert.equal(board.carrier.open(), 10)
  await board.limitWorkspace(3)
  let overLimit = 0
  board.carrier.onDial = () => {
    if (board.carrier.open() > 3) overLimit++
  }
  await board.pass(120_000)
  assert.deepEqual([overLimit, board.carrier.open()], [0, 3])
  board.carrier.onDial = () => {}
  await board.limitWorkspace(8)
  await board.pass(0)
  assert.equal(board.carrier.open(), 8)
  await board.finish()
})

test('a limit that is lowered while calls wait for their slots sends them back', async t => {
  const board = await openSwitchboard(t, { maxConcurrentCalls: 30 })
  const line = await board.addLine({ callsPerSecond: 20 })
  await board.addBatch('list', { people: people(60), line })
  board.dial()
  await board.pass(410)
  const { counts } = (await board.batch('list')).progress
  assert.ok(counts.calling > board.carrier.open(), 'calls wait for their slots')
  const open = board.carrier.open()
  await board.limitWorkspace(open)
  await board.pass(5_000)
  assert.equal(board.carrier.calls.length, open)
  await board.finish()
  assert.equal((await board.batch('list')).progress.attempts, 60)
})

test('a limit that is lowered while a call on disk waits for its spacing sends it back', async t => {
  const board = await openSwitchboard(t, {
    maxConcurrentCalls: 30,
    // Calls are placed several at a time on so slow a disk, and wait for each other.
    wrapStore: (store, clock) => slowStore(store, 'placeCalls', 450, clock),
  })
  const line = await board.addLine({ callsPerSecond: 10 })
  await board.addBatch('list', { people: people(30), line })
  const dispatcher = board.dial()
  await board.until(() => dispatcher.figures().running > board.carrier.open() + 1)
  const open = board.carrier.open()
  await board.limitWorkspace(open)
  await board.pass(3_000)
  // One may have been on its way from the disk when the limit changed.
  assert.ok(board.carrier.calls.length <= open + 1)
  await board.finish()
  assert.equal((await board.batch('list')).progress.attempts, 30)
})

test('a workspace whose limit is 0 dials nobody until it is raised', async t => {
  const board = await openSwitchboard(t, { maxConcurrentCalls: 0 })
  const line = await board.addLine()
  await board.addBatch('list', { people: people(5), line })
  board.dial()
  await board.pass(60_000)
  assert.equal(board.carrier.calls.length, 0)
  await board.limitWorkspace(2)
  await board.finish()
  assert.equal(board.carrier.calls[0]!.dialledAt, startAt + 60_000)
})

test('100 places are busy at least 99% of the time while somebody is due', async t => {
  const board = await openSwitchboard(t, { maxConcurrentCalls: 100 })
  const line = await board.addLine({ settings: { ringMs: [90, 90], talkMs: [800, 1_000] } })
  await board.addBatch('list', { people: people(1_500), line })
  board.dial()
  await board.until(() => board.carrier.calls.length === 1_500)
  const elapsed = board.clock.now() - startAt
  const busyMs = board.carrier.calls.reduce((sum, { dialledAt, endedAt }) => {
    return sum + (endedAt ?? board.clock.now()) - dialledAt
  }, 0)
  assert.ok(busyMs >= 0.99 * 100 * elapsed, `busy for ${(busyMs / elapsed).toFixed(1)}% of the time`)
  await board.finish()
})

test('two workspaces do not count against each other', async t => {
  const board = await openSwitchboard(t, { maxConcurrentCalls: 4 })
  const line = await board.addLine()
  const first = board.workspaceId
  const second = (await board.store.createWorkspace('other', startAt)).id
  await board.store.updateWorkspace(second, { maxConcurrentCalls: 3 }, startAt)
  await board.addBatch('ours', { people: people(20), line, maxConcurrentCalls: 4 })
  board.workspaceId = second
  const theirLine = await board.addLine()
  await board.addBatch('theirs', { people: people(20, 90, 100), line: theirLine, maxConcurrentCalls: 3 })
  board.workspaceId = first
  board.limits.set('all', 7)
  board.dial()
  await board.pass(2 * callMs - 1)
  const open = [board.carrier.open('batch:ours'), board.carrier.open('batch:theirs')]
  assert.deepEqual(open, [4, 3])
})
