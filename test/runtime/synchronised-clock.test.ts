// A clock that follows the store's.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { SynchronisedClock } from '../../src/runtime/synchronised-clock.ts'
import { VirtualClock } from '../../src/runtime/virtual-clock.ts'

test('a clock that is behind moves forward, one that is ahead moves back', () => {
  for (const [storeNow, expected] of [
    [601_000, 601_000],
    [400_000, 400_000],
  ] as const) {
    const clock = new SynchronisedClock(new VirtualClock(500_000))
    clock.follow({ storeNow, askedAt: clock.now(), answeredAt: clock.now() })
    assert.equal(clock.now(), expected)
  }
})

test('an answer that took long proves no more than that the clock is within it', () => {
  const clock = new SynchronisedClock(new VirtualClock(500_000))
  assert.equal(clock.follow({ storeNow: 500_400, askedAt: 500_000, answeredAt: 500_800 }), 0)
  assert.equal(clock.follow({ storeNow: 501_000, askedAt: 500_000, answeredAt: 500_800 }), 200)
  assert.equal(clock.now(), 500_200)
})

test('timers are set by the time that is followed', async () => {
  const own = new VirtualClock(500_000)
  const clock = new SynchronisedClock(own)
  clock.follow({ storeNow: 1_000_000, askedAt: 500_000, answeredAt: 500_000 })
  const ran: number[] = []
  clock.at(1_000_250, () => ran.push(clock.now()))
  await own.run({ until: 500_249 })
  assert.deepEqual(ran, [])
  await own.run({ until: 500_250 })
  assert.deepEqual(ran, [1_000_250])
})
