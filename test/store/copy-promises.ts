// What a store promises while it is held: it shows everything and dials nobody, until a person accepts it.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type Engine, outcomeOf, setUp, start } from './workbench.ts'

export function copyPromises(engine: Engine): void {
  test('a new store is not held', async t => {
    const { store } = await setUp(t, engine)
    assert.equal(await store.getHold(), null)
    assert.equal(await store.liftHold(), false)
  })

  test('while it is held nobody is claimed, no batch starts, and nothing asks to be woken', async t => {
    const bench = await setUp(t, engine)
    const { store } = bench
    const { id } = await bench.import(3)
    const later = await bench.import(2, { scheduledAt: start + 1_000 })
    await store.hold('backup', start - 5_000)
    assert.deepEqual(await store.getHold(), { reason: 'backup', since: start - 5_000 })
    const held = await bench.claim({ now: start + 2_000 })
    assert.deepEqual(held, { claims: [], wakeAt: null, more: false })
    assert.equal((await bench.batch(later.id)).status, 'scheduled')
    assert.deepEqual(await bench.standings(id), ['queued', 'queued', 'queued'])
    assert.equal(await store.liftHold(), true)
    const { claims } = await bench.claim({ now: start + 2_000 })
    assert.equal(claims.length, 5)
  })

  test('a claim from before is not placed, and whoever waits for a slot does not dial', async t => {
    const bench = await setUp(t, engine)
    const { store } = bench
    await bench.import(2)
    const { claims } = await bench.claim()
    await bench.place([claims[0]!])
    await store.hold('move', start)
    assert.deepEqual(await bench.place([claims[1]!]), ['workspace-stopped'])
    assert.deepEqual(await store.mayStillDial([claims[0]!.attemptId], 'node-1', start), [false])
  })

  test('lifting the hold wakes whoever listens', async t => {
    const { store } = await setUp(t, engine)
    await store.hold('copy', start)
    const woken = new Promise<void>(resolve => store.onWork(resolve))
    await store.liftHold()
    await woken
  })

  test('it says what it would go on with', async t => {
    const bench = await setUp(t, engine, { maxConcurrentCalls: 2 })
    const { store } = bench
    await bench.import(5)
    await bench.import(3, { startAs: 'draft' })
    const [answered] = await bench.call()
    await bench.end([answered!], { outcome: outcomeOf('answered'), endedAt: start + 7 })
    assert.deepEqual(await store.countHeldWork(), {
      batches: 1,
      people: 4,
      calling: 1,
      lastEventAt: start + 7,
    })
  })
}
