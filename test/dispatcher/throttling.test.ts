// A carrier that says "slow down": nobody's attempt is spent, the trunk slows, recovers, and it does not go on for ever.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { maxPutBacks } from '../../src/dispatcher/decide-next.ts'
import { minSpacing } from './promises.ts'
import { ScriptedCarrier } from './scripted-carrier.ts'
import { openSwitchboard, people, type Switchboard, startAt } from './switchboard.ts'

const minute = 60_000

const slowedTo = async (board: Switchboard) => {
  const events = await board.store.listEvents(board.workspaceId, { limit: 100_000 })
  return events.filter(({ type }) => type === 'trunk.slowed').map(({ data }) => data.callsPerSecond)
}

test('who is throttled twice and then answers has spent one attempt', async t => {
  const board = await openSwitchboard(t)
  const line = await board.addLine()
  await board.addBatch('list', { people: people(4, 98), line })
  board.dial()
  await board.finish()
  assert.equal(board.carrier.calls.length, 12)
  const { progress } = await board.batch('list')
  assert.deepEqual([progress.attempts, progress.counts.answered], [4, 4])
  const attempts = await board.store.listAttempts(board.workspaceId, {}, { limit: 100 })
  assert.deepEqual(
    attempts.map(({ ordinal, callId }) => [ordinal, callId !== null]),
    Array(4).fill([1, true]),
  )
})

const slowDownWords: [status: number, phrase: string | null][] = [
  [429, null],
  [503, 'CPS limit exceeded'],
  [403, 'Channel limit D1'],
  [480, 'Too many calls'],
]
for (const [status, phrase] of slowDownWords)
  test(`${phrase === null ? status : `${status} ${phrase}`} puts back unspent`, async t => {
    let dials = 0
    const carrier = (clock: ConstructorParameters<typeof ScriptedCarrier>[0]) =>
      new ScriptedCarrier(clock, line => (++dials === 1 ? line.refuse(status, phrase) : line.talk(1_000)))
    const board = await openSwitchboard(t, { carrier })
    const line = await board.addLine()
    await board.addBatch('one', { people: people(1), line })
    board.dial()
    await board.finish()
    const { progress } = await board.batch('one')
    assert.deepEqual([dials, progress.attempts, progress.counts.answered], [2, 1, 1])
  })

test('what this node could not place is put back and slows no trunk', async t => {
  let dials = 0
  const carrier = (clock: ConstructorParameters<typeof ScriptedCarrier>[0]) =>
    new ScriptedCarrier(clock, line => {
      if (++dials <= 5) line.after(10, () => line.end(null, 'not placed: no port', { notPlaced: true }))
      else line.talk(1_000)
    })
  const board = await openSwitchboard(t, { carrier })
  const line = await board.addLine()
  await board.addBatch('list', { people: people(5), line })
  board.dial()
  await board.finish()
  const { progress } = await board.batch('list')
  assert.deepEqual([dials, progress.attempts, progress.counts.answered], [10, 5, 5])
  assert.deepEqual(await slowedTo(board), [])
})

test('a trunk that refuses above 5 calls per second is slowed until it takes them, and everybody is reached', async t => {
  const board = await openSwitchboard(t, { maxConcurrentCalls: 40 })
  const line = await board.addLine({ settings: { maxCallsPerSecond: 5 } })
  await board.addBatch('list', { people: people(200), line })
  board.dial()
  await board.pass(2_000)
  const slowed = (await board.store.getTrunk(line.trunkId))?.slowedCallsPerSecond ?? null
  assert.ok(slowed !== null && slowed < 100, `slowed to ${slowed}`)
  await board.finish()
  const refused = board.carrier.calls.filter(({ evidence }) => evidence?.sipStatus === 503).length
  assert.ok(refused < 100, `${refused} refusals`)
  assert.deepEqual(await board.standings('list'), { answered: 200 })
  assert.equal((await board.batch('list')).progress.attempts, 200)
})

test('a trunk that is full and only says 480, at once, slows down and costs few people an attempt', async t => {
  const taken: number[] = []
  const carrier = (clock: ConstructorParameters<typeof ScriptedCarrier>[0]) =>
    new ScriptedCarrier(clock, line => {
      const lastSecond = taken.filter(at => at > clock.now() - 1_000)
      if (lastSecond.length >= 5) return line.refuse(480, 'Temporarily Unavailable')
      taken.push(clock.now())
      line.talk(1_000)
    })
  const board = await openSwitchboard(t, { carrier })
  const line = await board.addLine({ callsPerSecond: 20 })
  await board.addBatch('list', { people: people(200), line })
  board.dial()
  await board.finish()
  const { 'no-answer': missed = 0, answered = 0 } = await board.standings('list')
  assert.equal(missed + answered, 200)
  const refused = board.carrier.calls.filter(({ evidence }) => evidence?.sipStatus === 480).length
  assert.ok(missed < 20, `${missed} of ${refused} refusals were taken for no answer`)
  assert.ok((await slowedTo(board)).length > 0)
})

test('telephones that are off are no answer, however fast the trunk says so', async t => {
  let dials = 0
  const carrier = (clock: ConstructorParameters<typeof ScriptedCarrier>[0]) =>
    new ScriptedCarrier(clock, line => (++dials % 5 === 0 ? line.refuse(480) : line.talk(1_000)))
  const board = await openSwitchboard(t, { carrier })
  const line = await board.addLine({ callsPerSecond: 20 })
  await board.addBatch('list', { people: people(200), line })
  board.dial()
  await board.finish()
  assert.deepEqual(await board.standings('list'), { answered: 160, 'no-answer': 40 })
  assert.deepEqual(await slowedTo(board), [])
})

test('a trunk that was throttled once recovers step by step to its own rate', async t => {
  const until = startAt + 3_000
  const carrier = (clock: ConstructorParameters<typeof ScriptedCarrier>[0]) =>
    new ScriptedCarrier(clock, line => (clock.now() < until ? line.refuse(429) : line.talk(1_000)))
  const board = await openSwitchboard(t, { carrier })
  const line = await board.addLine({ callsPerSecond: 8 })
  await board.addBatch('list', { people: people(400), line })
  board.dial()
  await board.pass(5 * minute)
  const rates = await slowedTo(board)
  assert.equal(rates.at(-1), null)
  const rising = rates.slice(
    rates.indexOf(Math.min(...(rates.filter(rate => rate !== null) as number[]))),
    -1,
  )
  for (const [index, rate] of rising.slice(1).entries()) assert.equal(rate, Number(rising[index]) + 1)
  assert.equal((await board.store.getTrunk(line.trunkId))?.slowedCallsPerSecond, null)
  await board.finish()
  const last = board.carrier.calls.slice(-20)
  assert.equal(minSpacing(last), 125)
  assert.deepEqual(await board.standings('list'), { answered: 400 })
})

test('a trunk with fewer channels than we believe costs nobody an attempt', async t => {
  const board = await openSwitchboard(t)
  const line = await board.addLine({ settings: { maxConcurrentCalls: 3 } })
  await board.addBatch('list', { people: people(30), line })
  board.dial()
  await board.finish()
  assert.deepEqual(await board.standings('list'), { answered: 30 })
  const refused = board.carrier.calls.filter(({ evidence }) => evidence?.sipStatus === 503)
  assert.ok(refused.length > 0)
  assert.equal((await board.batch('list')).progress.attempts, 30)
})

test('a carrier that throttles for ever ends in carrier-failure after so many put-backs', async t => {
  const board = await openSwitchboard(t, {
    carrier: clock => new ScriptedCarrier(clock, line => line.refuse(429)),
  })
  const line = await board.addLine()
  const retry = { maxAttempts: 2, delaysMs: { 'carrier-failure': [minute] } }
  await board.addBatch('one', { people: people(2), line, retry })
  board.dial()
  await board.finish()
  assert.deepEqual(await board.standings('one'), { 'carrier-failure': 2 })
  for (const to of people(2)) assert.equal(board.carrier.of({ to }).length, maxPutBacks + 2)
  assert.equal((await board.batch('one')).progress.attempts, 4)
  // However often it refuses, one call in five seconds still goes out, and no faster than that.
  const rates = await slowedTo(board)
  assert.ok(Math.min(...(rates.filter(rate => rate !== null) as number[])) >= 0.2)
})

test('whose policy allows no put-backs is rung once, whatever the carrier says', async t => {
  for (const status of [429, 407]) {
    const carrier = (clock: ConstructorParameters<typeof ScriptedCarrier>[0]) =>
      new ScriptedCarrier(clock, line => line.refuse(status))
    const board = await openSwitchboard(t, { carrier })
    const line = await board.addLine()
    await board.addBatch('one', {
      ...{ people: people(1), line, retry: { maxAttempts: 1, delaysMs: {}, maxPutBacks: 0 } },
    })
    board.dial()
    await board.finish()
    assert.equal(board.carrier.calls.length, 1)
    assert.deepEqual(await board.standings('one'), { 'carrier-failure': 1 })
  }
})

test('put-backs wait longer each time, up to a minute', async t => {
  const board = await openSwitchboard(t, {
    carrier: clock => new ScriptedCarrier(clock, line => line.refuse(429)),
  })
  const line = await board.addLine()
  await board.addBatch('one', { people: people(1), line })
  board.dial()
  await board.finish()
  const { calls } = board.carrier
  const waits = calls.slice(1).map((call, index) => call.dialledAt - calls[index]!.endedAt!)
  assert.deepEqual(waits.slice(3, 10), [8_000, 16_000, 32_000, 60_000, 60_000, 60_000, 60_000])
})

test('a batch that is cancelled while somebody is put back drops them', async t => {
  const board = await openSwitchboard(t, {
    carrier: clock => new ScriptedCarrier(clock, line => line.refuse(429)),
  })
  const line = await board.addLine()
  const id = await board.addBatch('one', { people: people(3), line })
  board.dial()
  await board.pass(5_000)
  await board.store.cancelBatch(board.workspaceId, id, board.clock.now())
  await board.finish()
  assert.deepEqual(await board.standings('one'), { cancelled: 3 })
})
