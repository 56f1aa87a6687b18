// Fair shares, CPS slots and slowing down: properties over random loads, and the cases that people will ask about.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import {
  firstCallsFailed,
  minSlowedCallsPerSecond,
  type PlaceSeeker,
  reserveSlots,
  shareFreePlaces,
  slotIntervalMs,
  slowDown,
  speedUp,
} from '../../src/domain/pacing.ts'

const scopeNames = ['workspace', 'trunk-1', 'trunk-2', 'caller-1', 'caller-2', 'agent-1']
const someLoad = fc.record({
  free: fc.dictionary(fc.constantFrom(...scopeNames), fc.nat(12)).map(free => new Map(Object.entries(free))),
  batches: fc
    .array(
      fc.record({
        scopes: fc.subarray(scopeNames, { minLength: 1 }),
        open: fc.nat(20),
        wanted: fc.nat(15),
        weight: fc.integer({ min: 1, max: 4 }),
      }),
      { maxLength: 12 },
    )
    .map(batches => batches.map((batch, id): PlaceSeeker => ({ id, ...batch }))),
})

/** What is left in each scope after the shares were taken. */
function remaining(
  free: ReadonlyMap<string, number>,
  batches: readonly PlaceSeeker[],
  shares: Map<number, number>,
) {
  const left = new Map(free)
  for (const { id, scopes } of batches)
    for (const scope of scopes) if (left.has(scope)) left.set(scope, left.get(scope)! - (shares.get(id) ?? 0))
  return left
}

test('no share passes the free places of any scope, nor what the batch wants', () => {
  fc.assert(
    fc.property(someLoad, ({ free, batches }) => {
      const shares = shareFreePlaces(batches, free)
      for (const left of remaining(free, batches, shares).values()) assert.ok(left >= 0)
      for (const { id, wanted } of batches) assert.ok((shares.get(id) ?? 0) <= wanted)
    }),
  )
})

test('no batch is left wanting while all its scopes have room', () => {
  fc.assert(
    fc.property(someLoad, ({ free, batches }) => {
      const shares = shareFreePlaces(batches, free)
      const left = remaining(free, batches, shares)
      for (const { id, scopes, wanted } of batches) {
        const hasRoom = scopes.every(scope => (left.get(scope) ?? 1) > 0)
        assert.ok(!hasRoom || (shares.get(id) ?? 0) === wanted)
      }
    }),
  )
})

test('among batches with the same scopes, nobody has two more per weight than one who still wants', () => {
  fc.assert(
    fc.property(
      fc.nat(60),
      fc.array(fc.record({ open: fc.nat(9), wanted: fc.nat(30), weight: fc.integer({ min: 1, max: 3 }) }), {
        maxLength: 8,
      }),
      (places, loads) => {
        const batches = loads.map((load, id) => ({ id, scopes: ['workspace'], ...load }))
        const shares = shareFreePlaces(batches, new Map([['workspace', places]]))
        const loadOf = ({ id, open, weight }: (typeof batches)[number], less = 0) =>
          (open + (shares.get(id) ?? 0) - less) / weight
        const wanting = batches.filter(({ id, wanted }) => (shares.get(id) ?? 0) < wanted)
        for (const served of batches.filter(({ id }) => shares.has(id)))
          for (const waiting of wanting) assert.ok(loadOf(served, 1) <= loadOf(waiting))
      },
    ),
  )
})

test('ten rows get places at once beside a million that hold all but a few', () => {
  const million = { id: 1, scopes: ['workspace'], open: 15, wanted: 1_000_000 }
  const ten = { id: 2, scopes: ['workspace'], open: 0, wanted: 10 }
  assert.deepEqual([...shareFreePlaces([million, ten], new Map([['workspace', 5]]))], [[2, 5]])
  const even = shareFreePlaces([{ ...million, open: 0 }, ten], new Map([['workspace', 30]]))
  assert.deepEqual([...even].sort(), [
    [1, 20],
    [2, 10],
  ])
})

test('equal batches are served in the order given, and a weight of three gets three times as much', () => {
  const batch = (id: number, weight = 1) => ({ id, scopes: ['workspace'], open: 0, wanted: 100, weight })
  const oneOf = shareFreePlaces([batch(7), batch(3), batch(5)], new Map([['workspace', 1]]))
  assert.deepEqual([...oneOf], [[7, 1]])
  const weighted = shareFreePlaces([batch(1), batch(2, 3)], new Map([['workspace', 40]]))
  assert.deepEqual([weighted.get(1), weighted.get(2)], [10, 30])
})

test('a full scope holds back only those who are counted in it', () => {
  const blocked = { id: 1, scopes: ['workspace', 'trunk-1'], open: 0, wanted: 9 }
  const free = { id: 2, scopes: ['workspace', 'trunk-2'], open: 30, wanted: 9 }
  const shares = shareFreePlaces(
    [blocked, free],
    new Map([
      ['workspace', 5],
      ['trunk-1', 0],
      ['trunk-2', 4],
    ]),
  )
  assert.deepEqual([...shares], [[2, 4]])
})

test('256 places are shared among 1,000 batches, one each for the first 256', () => {
  const batches = Array.from({ length: 1000 }, (_, id) => ({
    id,
    scopes: ['workspace', `batch-${id}`],
    open: 0,
    wanted: 50,
  }))
  const shares = shareFreePlaces(batches, new Map([['workspace', 256]]))
  assert.equal(shares.size, 256)
  assert.ok([...shares].every(([id, places]) => id < 256 && places === 1))
})

test('slots are never closer than 1/CPS, never in the past, never beyond the horizon, and never caught up', () => {
  const now = 1_795_448_555_167
  fc.assert(
    fc.property(
      fc.double({ min: 0.1, max: 2000, noNaN: true }),
      fc.array(fc.record({ waitMs: fc.nat(3000), max: fc.nat(40) }), { maxLength: 20 }),
      (callsPerSecond, rounds) => {
        const all: number[] = []
        let [at, next] = [now, 0]
        for (const { waitMs, max } of rounds) {
          at += waitMs
          const reserved = reserveSlots(next, callsPerSecond, at, 250, max)
          assert.ok(reserved.slots.length <= max)
          assert.ok(reserved.slots.every(slot => slot >= at && slot <= at + 250))
          all.push(...reserved.slots)
          next = reserved.nextSlotAt
        }
        for (let i = 1; i < all.length; i++) assert.ok(all[i]! - all[i - 1]! >= 1000 / callsPerSecond)
      },
    ),
  )
})

test('slots rounded up to whole milliseconds still hold the rate in every sliding second', () => {
  for (const callsPerSecond of [1, 3, 7, 30, 333]) {
    const { slots } = reserveSlots(0, callsPerSecond, 1_795_448_555_167, 20_000, 100_000)
    const whole = slots.map(Math.ceil)
    for (let i = callsPerSecond; i < whole.length; i++)
      assert.ok(whole[i]! - whole[i - callsPerSecond]! >= 1000)
  }
})

test('ten calls per second are placed every 100 ms, and a rate of zero never', () => {
  assert.deepEqual(reserveSlots(0, 10, 5000, 250, 99), { slots: [5000, 5100, 5200], nextSlotAt: 5300 })
  assert.deepEqual(reserveSlots(5300, 10, 5000, 250, 99), { slots: [], nextSlotAt: 5300 })
  assert.deepEqual(reserveSlots(7, 0, 5000, 250, 99), { slots: [], nextSlotAt: 7 })
  assert.equal(slotIntervalMs(Number.NaN), Number.POSITIVE_INFINITY)
})

test('a throttled trunk halves what was refused, down to a floor, and climbs back step by step to its own rate', () => {
  assert.equal(slowDown(null, 40), 20)
  assert.equal(slowDown(20, 40), 10)
  assert.equal(slowDown(20, 6), 3)
  assert.equal(slowDown(minSlowedCallsPerSecond, 1), minSlowedCallsPerSecond)
  assert.equal(slowDown(null, 0), minSlowedCallsPerSecond)
  assert.equal(speedUp(3, 10), 4)
  assert.equal(speedUp(9, 10), null)
  assert.equal(speedUp(10, null), 11)
})

test('a trunk without a rate of its own is unlimited again after a bounded number of steps', () => {
  let rate: number | null = minSlowedCallsPerSecond
  let steps = 0
  while (rate !== null) {
    rate = speedUp(rate, null)
    steps++
  }
  assert.ok(steps <= 60)
})

test('a batch has failed from the start only when the sample is full and nearly all of it failed', () => {
  assert.equal(firstCallsFailed({ endedAttempts: 49, failedAttempts: 49 }), false)
  assert.equal(firstCallsFailed({ endedAttempts: 50, failedAttempts: 40 }), true)
  assert.equal(firstCallsFailed({ endedAttempts: 50, failedAttempts: 39 }), false)
  assert.equal(firstCallsFailed({ endedAttempts: 5, failedAttempts: 5 }, { sample: 5, ratio: 1 }), true)
})
