// Several nodes on one store: they share the work and its limits, and what one of them lets fall another picks up.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { leaseMs } from '../../src/dispatcher/leases.ts'
import { heartbeatEveryMs } from '../../src/dispatcher/node-presence.ts'
import { waitFor } from '../../src/runtime/wait.ts'
import { interpose } from './interposed-store.ts'
import { minSpacing } from './promises.ts'
import { type Closer, openSwitchboard, people, type SwitchboardOptions, startAt } from './switchboard.ts'

const second = 1_000
const hour = 3_600 * second
const retry = { maxAttempts: 3, delaysMs: { lost: [60 * second] } }
/** When a dead node's calls are certainly settled. */
const takenOverMs = leaseMs + 2 * heartbeatEveryMs

/** Longer than it takes until a dead node's calls are settled. */
const ringingLong = { ringMs: [40 * second, 40 * second], ringOutMs: [50 * second, 50 * second] }

/** A list that two nodes call; everybody answers and talks for nine seconds. */
async function twoNodes(t: Closer, options: SwitchboardOptions = {}, listed = 20) {
  const board = await openSwitchboard(t, { maxConcurrentCalls: 6, ...options })
  const line = await board.addLine()
  await board.addBatch('list', { people: people(listed), line, retry })
  return { board, line }
}

test('nodes share a batch within its limits, and nobody is called twice', async t => {
  const { board } = await twoNodes(t, {}, 60)
  const nodes = [board.join(), board.join(), board.join()]
  await board.finish()
  assert.deepEqual(await board.standings('list'), { answered: 60 })
  assert.equal(board.carrier.calls.length, 60)
  assert.equal(board.carrier.maxOpen.get('all'), 6)
  assert.equal(
    nodes.reduce((sum, { dispatcher }) => sum + dispatcher.figures().placed, 0),
    60,
  )
})

test('a freed place is taken as soon as the ending is committed, where a claim does not wait its turn behind it', async t => {
  const commitMs = 5
  const { board } = await twoNodes(t, {
    maxConcurrentCalls: 1,
    wrapStore: (store, clock) =>
      interpose(store, async (method, proceed) => {
        if (method === 'endAttempts') await waitFor(clock, commitMs)
        return proceed()
      }),
  })
  const { dispatcher } = board.join()
  await board.finish()
  assert.equal(dispatcher.figures().placed, 20)
  assert.equal(dispatcher.figures().sweepFound, 0)
})

test('endings that come while others are being committed go together after them', async t => {
  const commitMs = 500
  let [underWay, most, commits] = [0, 0, 0]
  const board = await openSwitchboard(t, {
    maxConcurrentCalls: 100,
    wrapStore: (store, clock) =>
      interpose(store, async (method, proceed) => {
        if (method !== 'endAttempts') return proceed()
        most = Math.max(most, ++underWay)
        commits++
        await waitFor(clock, commitMs)
        underWay--
        return proceed()
      }),
  })
  const line = await board.addLine({ settings: { talkMs: [second, 3 * second] } })
  await board.addBatch('list', { people: people(100), line })
  board.join()
  await board.finish()
  assert.equal(most, 1)
  assert.ok(commits <= 10, `${commits} commits`)
})

test("a dead node's calls are settled by another within its lease, without a restart", async t => {
  const { board } = await twoNodes(t)
  const { node } = board.join()
  await board.pass(5 * second)
  board.join()
  node.kill()
  await board.pass(takenOverMs)
  assert.deepEqual((await board.standings('list')).lost, 6)
  await board.finish()
  assert.deepEqual(await board.standings('list'), { answered: 14, lost: 6 })
  assert.equal(board.carrier.calls.length, 20)
})

test('telephones that rang when their node died are rung again, once, after the delay', async t => {
  const board = await openSwitchboard(t, { maxConcurrentCalls: 6 })
  const line = await board.addLine({ settings: ringingLong })
  await board.addBatch('list', { people: people(20), line, retry, ringTimeoutMs: 60 * second })
  const { node } = board.join()
  await board.pass(500)
  board.join()
  node.kill()
  await board.finish()
  assert.deepEqual(await board.standings('list'), { answered: 20 })
  assert.equal(board.carrier.calls.length, 26)
})

for (const [what, method, when] of [
  ['between its claim and the answer', 'claim', 'after'],
  ['between the commit before a dial and the dial', 'placeCalls', 'after'],
  ['before the commit before a dial', 'placeCalls', 'before'],
] as const)
  test(`a node that sleeps ${what} until its lease has run out dials nothing under it`, async t => {
    const { board } = await twoNodes(t)
    const { node } = board.join({ method, when, nth: 1, sleeps: true })
    await board.pass(second)
    assert.equal(board.carrier.calls.length, 0)
    board.join()
    await board.pass(3 * takenOverMs)
    const before = board.carrier.calls.length
    node.wake()
    assert.equal(board.carrier.calls.length, before)
    await board.finish()
    assert.deepEqual(await board.standings('list'), { answered: 20 })
    assert.equal(board.carrier.calls.length, 20)
  })

test('a node that sleeps between the commit and the dial, and wakes before anybody took over, does not dial either', async t => {
  const { board } = await twoNodes(t)
  const { node } = board.join({ method: 'placeCalls', when: 'after', nth: 1, sleeps: true })
  await board.pass(leaseMs)
  node.wake()
  await board.pass(0)
  assert.equal(board.carrier.of({}).filter(({ dialledAt }) => dialledAt < startAt + leaseMs).length, 0)
  await board.finish()
  assert.deepEqual(await board.standings('list'), { answered: 20 })
  assert.equal((await board.batch('list')).progress.attempts, 20, 'put back unspent')
})

test('a node that slept for a moment between the commit and the dial asks again, and hears of a pause', async t => {
  const { board } = await twoNodes(t)
  const { node } = board.join({ method: 'placeCalls', when: 'after', nth: 1, sleeps: true })
  await board.pass(5 * second)
  const { id } = board.batches.get('list')!
  await board.store.pauseBatch(board.workspaceId, id, 'user', board.clock.now())
  node.wake()
  await board.pass(5 * second)
  assert.equal(board.carrier.calls.length, 0)
  await board.store.resumeBatch(board.workspaceId, id, board.clock.now())
  await board.finish()
  assert.deepEqual(await board.standings('list'), { answered: 20 })
  assert.equal((await board.batch('list')).progress.attempts, 20, 'put back unspent')
})

test('a node that wakes after it lost its calls hangs up what still talks, and what others wrote stands', async t => {
  const { board } = await twoNodes(t)
  const { node, dispatcher } = board.join()
  await board.pass(5 * second)
  node.sleep()
  board.join()
  await board.pass(takenOverMs + heartbeatEveryMs)
  node.wake()
  await board.pass(2 * heartbeatEveryMs)
  await board.finish()
  assert.deepEqual(await board.standings('list'), { answered: 14, lost: 6 })
  assert.equal(board.carrier.calls.length, 20)
  assert.equal(dispatcher.figures().running, 0)
})

test('telephones stop ringing when a node cannot renew its leases, and are rung again once', async t => {
  const board = await openSwitchboard(t, { maxConcurrentCalls: 3 })
  const line = await board.addLine({ settings: ringingLong })
  await board.addBatch('list', { people: people(3), line, retry, ringTimeoutMs: 60 * second })
  const { node } = board.join({ method: 'heartbeat', when: 'after', nth: 2, sleeps: true })
  await board.pass(leaseMs)
  node.wake()
  await board.finish()
  assert.deepEqual(await board.standings('list'), { answered: 3 })
})

test('the spacing of calls holds over nodes whose clocks differ by hours', async t => {
  const board = await openSwitchboard(t)
  const line = await board.addLine({ callsPerSecond: 4 })
  await board.addBatch('list', { people: people(120), line, retry })
  for (const errorMs of [0, 3 * hour, -5 * hour, 17]) board.join(null, errorMs)
  await board.finish()
  assert.ok(minSpacing(board.carrier.calls) >= 250)
  assert.deepEqual(await board.standings('list'), { answered: 120 })
})

test('windows are kept by the time of the store, whatever the clocks of the nodes say', async t => {
  const board = await openSwitchboard(t)
  const line = await board.addLine()
  const window = [{ days: [1, 2, 3, 4, 5, 6, 7], from: '12:00', to: '13:00' }]
  await board.addBatch('list', { people: people(10), line, window })
  for (const errorMs of [2.5 * hour, -9 * hour]) board.join(null, errorMs)
  await board.finish()
  assert.ok(board.carrier.calls.every(({ dialledAt }) => dialledAt >= startAt + 2 * hour))
})

test('nodes that come and go leave nobody behind', async t => {
  const { board } = await twoNodes(t, { maxConcurrentCalls: 15 }, 200)
  for (let life = 0; life < 12; life++) {
    const { node } = board.join()
    board.join().node.sleep()
    await board.pass(3_100 + 487 * life)
    node.kill()
  }
  board.join()
  await board.finish()
  const { status, progress } = await board.batch('list')
  assert.equal(status, 'completed')
  assert.equal(progress.attempts, board.carrier.calls.length)
})
