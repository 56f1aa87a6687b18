// Trunks and agents that do not work, and batches that reach nobody: calling stops, and goes on by itself or when asked.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type Line, ScriptedCarrier } from './scripted-carrier.ts'
import { openSwitchboard, people, type Switchboard, startAt } from './switchboard.ts'

const minute = 60_000

/** A carrier that refuses every call with `status` until `healthyAt`, then talks for ten seconds. */
const refusingUntil =
  (status: number, healthyAt: number) => (clock: ConstructorParameters<typeof ScriptedCarrier>[0]) =>
    new ScriptedCarrier(clock, line =>
      clock.now() < healthyAt ? line.refuse(status, 'Forbidden') : line.talk(8_000),
    )

const dialTimes = (board: Switchboard) => board.carrier.calls.map(({ dialledAt }) => dialledAt - startAt)

for (const status of [401, 403, 407, 488])
  test(`after ${status} from three different people the trunk rests; one call tries it, then calling goes on`, async t => {
    const carrier = refusingUntil(status, startAt + 60_000)
    const board = await openSwitchboard(t, { carrier, maxConcurrentCalls: 3 })
    const line = await board.addLine()
    await board.addBatch('list', { people: people(30), line })
    board.dial()
    await board.pass(15)
    // Two more had taken the places of the first two when the third was refused.
    assert.deepEqual(dialTimes(board), [0, 0, 0, 10, 10])
    const trunk = await board.store.getTrunk(line.trunkId)
    assert.equal(trunk?.breakerUntil, startAt + 30_010)
    assert.match(trunk?.breakerReason ?? '', new RegExp(String(status)))
    // A single call tries the trunk when it has rested, and again after twice the time.
    await board.pass(105_000)
    assert.deepEqual(dialTimes(board).slice(5, 7), [30_010, 30_010 + 10 + 60_000])
    assert.equal(dialTimes(board)[7], 30_010 + 10 + 60_000 + 10_000)
    await board.finish()
    assert.deepEqual(await board.standings('list'), { answered: 30 })
    assert.equal((await board.batch('list')).progress.attempts, 30)
    const breakers = (await board.eventTypes()).filter(type => type.startsWith('trunk.breaker'))
    assert.deepEqual(breakers, ['trunk.breaker-opened', 'trunk.breaker-opened', 'trunk.breaker-closed'])
  })

test('one person whose calls are forbidden says nothing about the trunk', async t => {
  const board = await openSwitchboard(t)
  const line = await board.addLine()
  await board.addBatch('odd', { people: people(1, 86), line })
  await board.addBatch('list', { people: people(5, 90, 10), line, scheduledAt: startAt + minute })
  board.dial()
  await board.pass(2 * minute)
  assert.ok(board.carrier.of({ batch: 'odd' }).length > 3)
  assert.equal((await board.store.getTrunk(line.trunkId))?.breakerUntil, null)
  assert.deepEqual(await board.standings('list'), { answered: 5 })
})

test('a trunk that stays misconfigured costs nobody an attempt and ends as carrier-failure after its bound', async t => {
  const board = await openSwitchboard(t, {
    carrier: refusingUntil(403, Number.POSITIVE_INFINITY),
    maxConcurrentCalls: 3,
  })
  const line = await board.addLine()
  await board.addBatch('list', { people: people(3), line })
  board.dial({ sweepEveryMs: null })
  await board.finish()
  assert.deepEqual(await board.standings('list'), { 'carrier-failure': 3 })
  assert.equal((await board.batch('list')).progress.attempts, 3)
  const hours = (board.clock.now() - startAt) / 3_600_000
  assert.ok(hours > 6 && hours < 24, `${hours} hours`)
})

test('another trunk goes on while one rests', async t => {
  const board = await openSwitchboard(t, { maxConcurrentCalls: 4 })
  const [broken, good] = [await board.addLine(), await board.addLine()]
  await board.addBatch('broken', { people: people(20, 86), line: broken })
  await board.addBatch('good', { people: people(30, 90, 100), line: good })
  board.dial()
  await board.pass(2 * minute)
  assert.deepEqual(await board.standings('good'), { answered: 30 })
  assert.ok(board.carrier.of({ batch: 'broken' }).length <= 7)
})

test('a dead agent is not rung out for: five failures open its breaker, a call that works closes it', async t => {
  const healthyAt = startAt + 25_000
  const board = await openSwitchboard(t, {
    carrier: clock =>
      new ScriptedCarrier(clock, line => line.talk(1_000, { agentFailed: clock.now() < healthyAt })),
    maxConcurrentCalls: 5,
  })
  const line = await board.addLine()
  await board.addBatch('list', { people: people(20), line })
  board.dial()
  await board.pass(10_000)
  assert.deepEqual(dialTimes(board), [0, 0, 0, 0, 0, 3_000, 3_000, 3_000, 3_000])
  const agent = await board.store.getAgent(line.agentId)
  assert.equal(agent?.breakerUntil, startAt + 3_000 + 15_000)
  await board.finish()
  // 18 s: the trial fails; twice the rest later the next one works, and with its end all places are used again.
  assert.deepEqual(dialTimes(board).slice(9, 11), [18_000, 18_000 + 3_000 + 30_000])
  assert.deepEqual(dialTimes(board).slice(11, 16), Array(5).fill(54_000))
  assert.deepEqual(await board.standings('list'), { answered: 10, 'agent-failure': 10 })
  const breakers = (await board.eventTypes()).filter(type => type.startsWith('agent.breaker'))
  assert.deepEqual(breakers, ['agent.breaker-opened', 'agent.breaker-opened', 'agent.breaker-closed'])
})

test("an agent's breaker holds its own batches only", async t => {
  const board = await openSwitchboard(t, { maxConcurrentCalls: 10 })
  const dead = await board.addLine()
  const alive = await board.addLine({ trunkId: dead.trunkId })
  await board.addBatch('dead', { people: people(50, 99), line: dead, maxConcurrentCalls: 5 })
  await board.addBatch('alive', { people: people(30, 90, 100), line: alive })
  board.dial()
  await board.pass(minute)
  assert.deepEqual(await board.standings('alive'), { answered: 30 })
  // Five, four that took their places, and one trial after 15 s; the next would come 30 s after its end.
  assert.equal(board.carrier.of({ batch: 'dead' }).length, 10)
})

test('a trial call that tells nothing is followed by another, and the trunk is not stuck', async t => {
  let dials = 0
  // Three refusals, a throttled trial, then health.
  const answer = (line: Line) => {
    dials++
    if (dials <= 3) line.refuse(403)
    else if (dials === 4) line.refuse(429)
    else line.talk(1_000)
  }
  const board = await openSwitchboard(t, {
    carrier: clock => new ScriptedCarrier(clock, answer),
    maxConcurrentCalls: 3,
  })
  const line = await board.addLine()
  await board.addBatch('list', { people: people(10), line })
  board.dial()
  await board.finish()
  assert.deepEqual(await board.standings('list'), { answered: 10 })
  assert.equal((await board.store.getTrunk(line.trunkId))?.breakerUntil, null)
})

test('a batch whose first 50 calls nearly all fail pauses itself, and goes on when it is resumed', async t => {
  const board = await openSwitchboard(t, { maxConcurrentCalls: 10 })
  const line = await board.addLine()
  const numbers = [...people(5), ...people(95, 96, 5)]
  await board.addBatch('wrong', { people: numbers, line })
  board.dial()
  await board.pass(minute)
  const { status, statusReason, progress } = await board.batch('wrong')
  assert.deepEqual([status, statusReason], ['paused', 'first_calls_failed'])
  assert.ok(progress.endedAttempts >= 50 && progress.endedAttempts <= 60)
  const placed = board.carrier.calls.length
  await board.pass(10 * minute)
  assert.equal(board.carrier.calls.length, placed)
  await board.store.resumeBatch(board.workspaceId, board.batches.get('wrong')!.id, board.clock.now())
  await board.finish()
  assert.deepEqual(await board.standings('wrong'), { answered: 5, unreachable: 95 })
})

test('a batch of which every fourth call works does not pause itself', async t => {
  const board = await openSwitchboard(t, { maxConcurrentCalls: 10 })
  const line = await board.addLine()
  const numbers = Array.from({ length: 100 }, (_, index) => people(1, index % 4 === 0 ? 92 : 96, index)[0]!)
  await board.addBatch('poor', { people: numbers, line })
  board.dial()
  await board.finish()
  assert.equal((await board.eventTypes()).includes('batch.paused'), false)
})
