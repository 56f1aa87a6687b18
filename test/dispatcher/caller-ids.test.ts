// Our own numbers, seen by the carrier: turns, caps of any 24 hours, and rest for those that are flagged.
import assert from 'node:assert/strict'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { capWindowMs, firstRestMs } from '../../src/domain/caller-choice.ts'
import { Chance } from '../simulation/chance.ts'
import { type Closer, type Line, openSwitchboard, people, type Switchboard, startAt } from './switchboard.ts'
import type { SeenCall, WatchedCarrier } from './watched-carrier.ts'

const minute = 60_000
const day = 24 * 60 * minute
const maxWalkMs = 90 * day
/** These take days, in which a sweep a second would be most of the work: without it a wake-up that is missed is never made good. */
const noSweep = { sweepEveryMs: null }

/** Numbers of one trunk and one agent, one for each cap (null: none). */
async function addNumbers(board: Switchboard, caps: readonly (number | null)[]) {
  const lines: Line[] = []
  const capOf = new Map<string, number>()
  for (const cap of caps) {
    const line = await board.addLine({
      ...lines[0],
      ...(cap === null ? {} : { callerMaxPerDay: cap }),
    })
    lines.push(line)
    const number = await board.store.findPhoneNumber(board.workspaceId, String(line.phoneNumberId))
    if (cap !== null) capOf.set(number!.e164, cap)
  }
  return { lines, capOf, phoneNumberIds: lines.map(({ phoneNumberId }) => phoneNumberId) }
}

/** Of each number with a cap, no call comes within 24 hours of the one that is `cap` calls before it. */
function assertWithinCaps({ calls }: WatchedCarrier, capOf: ReadonlyMap<string, number>): void {
  for (const [from, cap] of capOf) {
    const at = calls.filter(call => call.from === from).map(({ dialledAt }) => dialledAt)
    for (let later = cap; later < at.length; later++) {
      const apart = at[later]! - at[later - cap]!
      assert.ok(apart >= day, `${cap + 1} calls from ${from} within ${apart / minute} minutes`)
    }
  }
}

const countByCaller = (calls: readonly SeenCall[]) =>
  [...Map.groupBy(calls, ({ from }) => from).values()].map(({ length }) => length).sort((a, b) => a - b)

test('a batch calls from its numbers in turns, and somebody who was busy from another one', async t => {
  const board = await openSwitchboard(t)
  const { lines, phoneNumberIds } = await addNumbers(board, [null, null, null])
  const retry = { maxAttempts: 2, delaysMs: { busy: [minute] } }
  await board.addBatch('list', { people: people(30, 92), line: lines[0]!, phoneNumberIds, retry })
  board.dial()
  await board.finish()
  const { calls } = board.carrier
  assert.deepEqual(countByCaller(calls.slice(0, 30)), [10, 10, 10])
  for (const number of people(30, 92)) {
    const [first, second] = board.carrier.of({ to: number })
    assert.notEqual(first?.from, second?.from)
  }
})

test('numbers with caps call day by day until everybody is called, each as often as it may', async t => {
  const board = await openSwitchboard(t)
  const { lines, capOf, phoneNumberIds } = await addNumbers(board, [3, 5])
  await board.addBatch('list', { people: people(30), line: lines[0]!, phoneNumberIds })
  await board.addBatch('other', { people: people(6, 90, 50), line: lines[0]! })
  board.dial(noSweep)
  await board.finish()
  assertWithinCaps(board.carrier, capOf)
  const { calls } = board.carrier
  assert.equal(calls.length, 36)
  assert.equal(calls.filter(({ dialledAt }) => dialledAt < startAt + day).length, 8)
  // 8 calls a day: the last four come on the fifth, as soon as the window lets them.
  assert.ok(calls.at(-1)!.dialledAt <= startAt + 4 * capWindowMs + minute)
})

test('a flagged number rests, the others go on, and the person is called from one of them', async t => {
  const board = await openSwitchboard(t, { maxConcurrentCalls: 1 })
  const { lines, phoneNumberIds } = await addNumbers(board, [null, null])
  const flagged = people(1, 87)[0]!
  await board.addBatch('list', {
    people: [flagged, ...people(20, 90, 1)],
    line: lines[0]!,
    phoneNumberIds,
    retry: { maxAttempts: 2, delaysMs: { blocked: [minute / 6] } },
  })
  board.dial()
  await board.finish()
  const { calls } = board.carrier
  const [first, second] = board.carrier.of({ to: flagged })
  assert.notEqual(first?.from, second?.from)
  const rested = calls.filter(
    ({ from, dialledAt }) => from === first?.from && dialledAt < startAt + firstRestMs,
  )
  assert.deepEqual(rested, [first])
  const afterwards = calls.filter(({ dialledAt }) => dialledAt > second!.endedAt!)
  assert.ok(afterwards[0]!.dialledAt >= first!.endedAt! + firstRestMs, 'while both rest nobody is called')
  assert.equal((await board.eventTypes()).filter(type => type === 'phone-number.resting').length, 2)
})

test('a cap holds across a restart from disk', async t => {
  const dir = await mkdtemp(join(tmpdir(), 'outdial-caps-'))
  t.after(() => rm(dir, { recursive: true, force: true }))
  const path = join(dir, 'store.db')
  const board = await openSwitchboard(t, { path })
  const { lines, capOf } = await addNumbers(board, [4])
  await board.addBatch('list', { people: people(9), line: lines[0]! })
  await board.dial(noSweep).stop({ graceMs: 0 })
  board.dial(noSweep)
  await board.until(() => board.carrier.calls.length === 4 && board.carrier.open() === 0)
  await board.dispatchers.at(-1)!.stop({ graceMs: 0 })
  await board.reopen(path)
  board.dial(noSweep)
  await board.finish()
  assertWithinCaps(board.carrier, capOf)
  assert.equal(board.carrier.calls.length, 9)
})

test('in random lives with nodes that die no cap is ever passed, and everybody is called in the end', async t => {
  const first = Date.now() % 1_000_000
  t.diagnostic(`seeds ${first} to ${first + 19}`)
  for (let seed = first; seed < first + 20; seed++) {
    const closing: (() => Promise<void>)[] = []
    try {
      await randomLife(new Chance(seed), { after: close => closing.push(close) })
      for (const close of closing) await close()
    } catch (error) {
      throw new Error(`the life of seed ${seed} passed a cap or stood still`, { cause: error })
    }
  }
})

/** Some stand in several batches: the numbers come from a small set; some telephones are busy or silent. */
function somePeople(chance: Chance): string[] {
  const endings = [11, 80, 81, 82, 83, 87, 88, 90, 91, 92]
  const drawn = Array.from(
    { length: chance.int(1, 25) },
    () => people(1, chance.pick(endings), chance.int(0, 12))[0]!,
  )
  return [...new Set(drawn)]
}

async function randomLife(chance: Chance, closer: Closer): Promise<void> {
  const board = await openSwitchboard(closer, { maxConcurrentCalls: chance.int(1, 12) })
  const caps = Array.from({ length: chance.int(2, 5) }, () => chance.pick([null, 1, 2, 4, 9]))
  const { lines, capOf, phoneNumberIds } = await addNumbers(board, [...caps, 3])
  for (let batch = chance.int(1, 3); batch > 0; batch--) {
    const callers = phoneNumberIds.filter(() => chance.happens(0.6))
    const index = phoneNumberIds.indexOf(callers[0] ?? phoneNumberIds[0]!)
    await board.addBatch(`batch ${batch}`, {
      people: somePeople(chance),
      line: lines[index]!,
      retry: chance.retry(),
      callsPerSecond: chance.pick([null, 1]),
      ...(callers.length > 1 ? { phoneNumberIds: callers } : {}),
    })
  }
  for (let death = chance.int(0, 4); death > 0; death--) {
    const method = chance.pick(['claim', 'placeCalls', 'endAttempts'] as const)
    const bed = { method, when: chance.pick(['before', 'after'] as const), nth: chance.int(1, 6) }
    const { node } = board.dialMortal(bed, noSweep)
    await board.pass(chance.int(1, 40) * minute)
    node.kill()
  }
  board.dial(noSweep)
  await board.untilFinishedOr(() => false, maxWalkMs)
  assertWithinCaps(board.carrier, capOf)
}
