// Virtual time: order, settling, limits.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { VirtualClock } from '../../src/runtime/virtual-clock.ts'

test('timers run in order of time, equal times in order of insertion', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(fc.nat(20), { maxLength: 60 }), async waits => {
      const clock = new VirtualClock(1000)
      const ran: [number, number][] = []
      waits.forEach((wait, index) => void clock.at(1000 + wait, () => void ran.push([clock.now(), index])))
      assert.equal(await clock.run(), waits.length)
      const expected = waits.map((wait, index): [number, number] => [1000 + wait, index])
      assert.deepEqual(
        ran,
        expected.sort((a, b) => a[0] - b[0] || a[1] - b[1]),
      )
    }),
  )
})

test('a cancelled timer does not run and does not count, also when it is cancelled at its own instant', async () => {
  const clock = new VirtualClock(0)
  const ran: string[] = []
  clock.at(5, () => second.cancel())
  const second = clock.at(5, () => ran.push('second'))
  clock.at(1, () => ran.push('never')).cancel()
  assert.equal(await clock.run(), 1)
  assert.deepEqual(ran, [])
})

test('whatever a timer sets off by promises and immediates is over before the next timer runs', async () => {
  const clock = new VirtualClock(0)
  const ran: string[] = []
  clock.at(10, async () => {
    for (let round = 0; round < 25; round++) await new Promise(resolve => setImmediate(resolve))
    await Promise.resolve()
    ran.push(`chain at ${clock.now()}`)
    clock.at(11, () => ran.push('set off'))
  })
  clock.at(12, () => ran.push('next'))
  await clock.run()
  assert.deepEqual(ran, ['chain at 10', 'set off', 'next'])
})

test('time stands still while something says that it is busy', async () => {
  let busy = 0
  const clock = new VirtualClock(0, () => busy > 0 && busy-- > 0)
  const seen: number[] = []
  clock.at(1, () => {
    busy = 5
  })
  clock.at(2, () => seen.push(busy))
  await clock.run()
  assert.deepEqual(seen, [0])
})

test('a run up to an instant leaves the clock there and later timers waiting', async () => {
  const clock = new VirtualClock(0)
  const ran: number[] = []
  for (const at of [10, 20, 30]) clock.at(at, () => ran.push(at))
  assert.equal(await clock.run({ until: 20 }), 2)
  assert.deepEqual([ran, clock.now(), clock.nextAt()], [[10, 20], 20, 30])
  assert.equal(await clock.run({ until: 25 }), 0)
  assert.equal(clock.now(), 25)
})

test('a run stops as soon as what it waits for is done, and the clock stays at that instant', async () => {
  const clock = new VirtualClock(0)
  let beats = 0
  const beat = () => {
    beats++
    clock.at(clock.now() + 1000, beat)
  }
  clock.at(0, beat)
  await clock.run({ until: 1e12, done: () => beats === 500 })
  assert.deepEqual([beats, clock.now()], [500, 499_000])
})

test('a timer set for the past runs at once and time never goes back', async () => {
  const clock = new VirtualClock(1000)
  const ran: number[] = []
  clock.at(1500, () => void clock.at(3, () => ran.push(clock.now())))
  await clock.run()
  assert.deepEqual(ran, [1500])
})

test('an error in a task ends the run with that error', async () => {
  const clock = new VirtualClock(0)
  clock.at(1, () => {
    throw new Error('broken task')
  })
  await assert.rejects(clock.run(), /broken task/)
  await clock.run()
})

test('two runs at a time are refused', async () => {
  const clock = new VirtualClock(0)
  const first = clock.run()
  await assert.rejects(clock.run(), /running already/)
  await first
})

test('a timer between two milliseconds runs at the later one, as the real clock tells whole ones', async () => {
  const clock = new VirtualClock(0)
  const ran: number[] = []
  for (const at of [0.2, 7.5, 8]) clock.at(at, () => ran.push(clock.now()))
  await clock.run()
  assert.deepEqual(ran, [1, 8, 8])
})
