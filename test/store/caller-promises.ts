// What a store promises about caller IDs: turns, caps that are never passed, rest, and that it says what holds a batch.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { capWindowMs, firstRestMs } from '../../src/domain/caller-choice.ts'
import type { PhoneNumber } from '../../src/domain/workspace.ts'
import type { Claim } from '../../src/store/dispatch-records.ts'
import type { NewPhoneNumber } from '../../src/store/store.ts'
import {
  type Engine,
  type Furniture,
  newPhoneNumber,
  node,
  outcomeOf,
  setUp,
  start,
  type Workbench,
} from './workbench.ts'

const hour = 3_600_000

/** The workbench's number and others on its trunk. */
async function numbers(bench: Workbench, others: Partial<NewPhoneNumber>[]): Promise<PhoneNumber[]> {
  const { store, workspace, trunk, phoneNumber } = bench
  const added = [phoneNumber]
  for (const changes of others) {
    const e164 = `+120255501${String(10 + added.length)}`
    added.push(
      await store.createPhoneNumber(newPhoneNumber(workspace.id, { e164, trunkId: trunk.id, ...changes })),
    )
  }
  return added
}

const idsOf = (callers: readonly PhoneNumber[]) => callers.map(({ id }) => id)
const capped = (maxCallsPerDay: number): Furniture => ({ phoneNumber: { maxCallsPerDay } })
const flagged = { outcome: outcomeOf('flagged'), callerFlagged: true }
const retryAt = (dueAt: number) => ({ outcome: outcomeOf('busy'), next: { kind: 'retry', dueAt } }) as const

function countByCaller(claims: readonly Claim[]): Record<number, number> {
  const counts: Record<number, number> = {}
  for (const { phoneNumberId } of claims) counts[phoneNumberId] = (counts[phoneNumberId] ?? 0) + 1
  return counts
}

export function callerPromises(engine: Engine): void {
  turns(engine)
  caps(engine)
  rests(engine)
}

function turns(engine: Engine): void {
  test('a batch calls from its numbers in turns, and reads say which they are', async t => {
    const bench = await setUp(t, engine)
    const [one, two, three] = idsOf(await numbers(bench, [{}, {}])) as [number, number, number]
    const batch = await bench.import(9, { phoneNumberIds: [one, two, three] })
    assert.deepEqual(batch.phoneNumberIds, [one, two, three])
    const claims = [...(await bench.call({ maxClaims: 2 })), ...(await bench.call())]
    assert.deepEqual(countByCaller(claims), { [one]: 3, [two]: 3, [three]: 3 })
    const callers = new Map(claims.map(({ phoneNumberId, callerId }) => [phoneNumberId, callerId]))
    assert.deepEqual(callers.get(two), '+12025550111')
    const alone = await bench.import(1)
    assert.deepEqual(alone.phoneNumberIds, [one])
    assert.equal((await bench.call())[0]?.phoneNumberId, one)
  })

  test('who is rung again is rung from another number', async t => {
    const bench = await setUp(t, engine)
    const phoneNumberIds = idsOf(await numbers(bench, [{}]))
    await bench.import(6, { phoneNumberIds })
    const first = await bench.call()
    await bench.end(first, retryAt(start + 1_000))
    const second = await bench.call({ now: start + 1_000 })
    const before = new Map(first.map(({ recipientId, phoneNumberId }) => [recipientId, phoneNumberId]))
    for (const { recipientId, phoneNumberId } of second)
      assert.notEqual(phoneNumberId, before.get(recipientId))
    assert.equal(second.length, 6)
  })

  test('a number that is full leaves its turn to the others, whichever batch fills it', async t => {
    const bench = await setUp(t, engine, { phoneNumber: { maxConcurrentCalls: 2 } })
    const [one, two] = idsOf(await numbers(bench, [{ maxConcurrentCalls: 3 }])) as [number, number]
    await bench.import(9, { phoneNumberIds: [one, two] })
    await bench.import(9)
    const calls = await bench.call()
    assert.deepEqual(countByCaller(calls), { [one]: 2, [two]: 3 })
    assert.deepEqual(await bench.claim(), { claims: [], wakeAt: null, more: false })
    const ended = calls.filter(({ phoneNumberId }) => phoneNumberId === two)
    await bench.end(ended)
    assert.deepEqual(countByCaller(await bench.call()), { [two]: 3 })
  })

  test('two batches with the same numbers share them one to one', async t => {
    const bench = await setUp(t, engine, { phoneNumber: { maxConcurrentCalls: 5 } })
    const phoneNumberIds = idsOf(await numbers(bench, [{ maxConcurrentCalls: 5 }]))
    const [large, small] = [
      await bench.import(200, { phoneNumberIds }),
      await bench.import(9, { phoneNumberIds }),
    ]
    const claims = await bench.call()
    const of = (batchId: number) => claims.filter(claim => claim.batchId === batchId).length
    assert.deepEqual([of(large.id), of(small.id)], [5, 5])
  })
}

function caps(engine: Engine): void {
  test('a cap holds over all batches, and the claim names the instant at which it lets go', async t => {
    const bench = await setUp(t, engine, capped(5))
    await bench.import(4)
    await bench.import(4)
    const first = await bench.call({ maxClaims: 2 })
    const rest = await bench.call({ now: start + hour })
    assert.deepEqual([first.length, rest.length], [2, 3])
    await bench.end([...first, ...rest], { endedAt: start + hour })
    const wakeAt = start + capWindowMs
    assert.deepEqual(await bench.claim({ now: start + hour }), { claims: [], wakeAt, more: false })
    assert.deepEqual((await bench.claim({ now: wakeAt - 1 })).claims, [])
    const again = await bench.call({ now: wakeAt })
    assert.equal(again.length, 2, 'as many as left the window')
    await bench.end(again, { endedAt: wakeAt })
    assert.equal((await bench.claim({ now: wakeAt })).wakeAt, wakeAt + hour)
  })

  test('claims of one moment share a cap, and what is not placed is not counted', async t => {
    const bench = await setUp(t, engine, capped(3))
    await bench.import(9)
    const { claims } = await bench.claim({ maxClaims: 2 })
    assert.equal((await bench.claim()).claims.length, 1)
    await bench.store.releaseClaims(
      claims.map(({ attemptId }) => attemptId),
      start,
    )
    assert.equal((await bench.call()).length, 2)
  })

  test('the cap is counted again when a call is placed', async t => {
    const bench = await setUp(t, engine, { phoneNumber: { maxCallsPerDay: 2 } })
    await bench.import(2)
    const { claims } = await bench.claim()
    // Placed again since nobody heard the answer: one call, counted once.
    assert.deepEqual(await bench.place(claims.slice(0, 1)), ['placed'])
    assert.deepEqual(await bench.place(claims.slice(0, 1), start + 1), ['placed'])
    assert.deepEqual(await bench.place(claims.slice(1)), ['placed'])
    const [standing] = await bench.store.listCallers(bench.workspace.id, claims[0]!.batchId, start + 1)
    assert.equal(standing?.callsLastDay, 2)
  })

  test('a call that the carrier threw back counts, one that never left does not', async t => {
    const bench = await setUp(t, engine, capped(3))
    const { id } = await bench.import(3)
    const count = async () => (await bench.store.listCallers(bench.workspace.id, id, start))[0]?.callsLastDay
    const [one, two] = await bench.call({ maxClaims: 2 })
    const putBack = (throttled: boolean) =>
      ({
        outcome: outcomeOf('carrier-failure'),
        next: { kind: 'put-back', dueAt: start + hour, throttled },
      }) as const
    await bench.end([one!], putBack(true))
    assert.equal(await count(), 2)
    await bench.end([two!], putBack(false))
    assert.equal(await count(), 1)
    assert.equal(await count(), 1)
  })

  test('calls of a batch that is deleted still count', async t => {
    const bench = await setUp(t, engine, capped(2))
    const { id } = await bench.import(2)
    await bench.end(await bench.call())
    await bench.store.deleteBatch(bench.workspace.id, id, start)
    await bench.import(2)
    assert.deepEqual((await bench.claim()).claims, [])
  })

  test('what a cap leaves to others is used: the batch goes on from its other numbers', async t => {
    const bench = await setUp(t, engine, capped(1))
    const [one, two] = idsOf(await numbers(bench, [{ maxCallsPerDay: 4 }])) as [number, number]
    const { id } = await bench.import(9, { phoneNumberIds: [one, two] })
    const calls = await bench.call()
    assert.deepEqual(countByCaller(calls), { [one]: 1, [two]: 4 })
    const callers = await bench.store.listCallers(bench.workspace.id, id, start)
    const hold = { reason: 'daily-cap', until: start + capWindowMs } as const
    assert.deepEqual(callers, [
      { phoneNumberId: one, e164: '+12025550100', maxCallsPerDay: 1, callsLastDay: 1, hold },
      { phoneNumberId: two, e164: '+12025550111', maxCallsPerDay: 4, callsLastDay: 4, hold },
    ])
  })
}

function rests(engine: Engine): void {
  test('a flagged number rests until its time, which wakes us, and an event tells', async t => {
    const bench = await setUp(t, engine)
    await bench.import(2)
    const calls = await bench.call({ maxClaims: 1 })
    await bench.end(calls, flagged)
    assert.deepEqual(await bench.claim(), { claims: [], wakeAt: start + firstRestMs, more: false })
    const events = await bench.store.listEvents(bench.workspace.id, { limit: 100 })
    const told = events.find(({ type }) => type === 'phone-number.resting')
    const { id: phoneNumberId } = bench.phoneNumber
    assert.deepEqual(told?.data, { phoneNumberId, until: start + firstRestMs, cause: 'sip 608' })
    const number = await bench.store.findPhoneNumber(bench.workspace.id, String(phoneNumberId))
    assert.equal(number?.restingUntil, start + firstRestMs)
    assert.equal((await bench.call({ now: start + firstRestMs })).length, 1)
  })

  test('the other numbers go on while one rests', async t => {
    const bench = await setUp(t, engine)
    const [one, two] = idsOf(await numbers(bench, [{}])) as [number, number]
    const { id } = await bench.import(9, { phoneNumberIds: [one, two] })
    const [call] = await bench.call({ maxClaims: 1 })
    await bench.end([call!], flagged)
    const other = call!.phoneNumberId === one ? two : one
    assert.deepEqual(countByCaller(await bench.call()), { [other]: 8 })
    const callers = await bench.store.listCallers(bench.workspace.id, id, start)
    assert.deepEqual(
      callers.map(({ phoneNumberId, hold }) => [phoneNumberId, hold?.reason]),
      [one, two].map(number => [number, number === other ? undefined : 'resting']),
    )
  })

  test('what was claimed before its number was flagged is not dialled from it', async t => {
    const bench = await setUp(t, engine)
    const { id } = await bench.import(3)
    const [call] = await bench.call({ maxClaims: 1 })
    const waiting = await bench.call({ maxClaims: 1 })
    const { claims } = await bench.claim()
    await bench.end([call!], flagged)
    assert.deepEqual(await bench.place(claims), ['caller-resting'])
    const ids = waiting.map(({ attemptId }) => attemptId)
    assert.deepEqual(await bench.store.mayStillDial(ids, node, start), [false])
    assert.deepEqual(await bench.standings(id), ['blocked', 'calling', 'queued'])
  })

  test('flags of calls under way make one rest; flagged again after it, a number rests twice as long', async t => {
    const bench = await setUp(t, engine)
    await bench.import(9)
    const calls = await bench.call({ maxClaims: 2 })
    await bench.end(calls.slice(0, 1), flagged)
    await bench.end(calls.slice(1), { ...flagged, endedAt: start + 1_000 })
    const restedAt = start + firstRestMs
    assert.equal((await bench.claim()).wakeAt, restedAt)
    await bench.end(await bench.call({ now: restedAt, maxClaims: 1 }), { ...flagged, endedAt: restedAt })
    assert.equal((await bench.claim({ now: restedAt })).wakeAt, restedAt + 2 * firstRestMs)
    const events = await bench.events(null)
    assert.equal(events.filter(type => type === 'phone-number.resting').length, 2)
  })
}
