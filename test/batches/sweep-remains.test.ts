// What dead processes left half done is cleared up at the start, and again and again where nodes share a database.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { keepSwept } from '../../src/batches/sweep-remains.ts'
import { silentLogger } from '../../src/runtime/logger.ts'
import { VirtualClock } from '../../src/runtime/virtual-clock.ts'

const start = 1_000_000

function sweptStore(fails: readonly number[] = []) {
  const at: number[] = []
  return {
    at,
    store: {
      async sweep(now: number) {
        at.push(now - start)
        if (fails.includes(at.length)) throw new Error('the database is away')
        return 1
      },
    },
  }
}

test('the only process sweeps once, before it does anything else', async () => {
  const { store, at } = sweptStore()
  const clock = new VirtualClock(start)
  const stop = await keepSwept({ store, clock, logger: silentLogger, everyMs: null })
  assert.deepEqual(at, [0])
  await clock.run({ until: start + 1_000_000 })
  assert.deepEqual(at, [0])
  await stop()
})

test('nodes on one database sweep again and again, also after a time that failed, until they stop', async () => {
  const { store, at } = sweptStore([3])
  const clock = new VirtualClock(start)
  const stop = await keepSwept({ store, clock, logger: silentLogger, everyMs: 60_000 })
  await clock.run({ until: start + 200_000 })
  assert.deepEqual(at, [0, 60_000, 120_000, 180_000])
  await stop()
  await clock.run({ until: start + 400_000 })
  assert.equal(at.length, 4)
})

test('a store that cannot be swept at the start is said so', async () => {
  const { store } = sweptStore([1])
  const clock = new VirtualClock(start)
  await assert.rejects(keepSwept({ store, clock, logger: silentLogger, everyMs: 60_000 }), /away/)
})
