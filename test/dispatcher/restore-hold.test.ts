// A dispatcher on a store that came out of a backup: it leaves everything alone until a person has accepted it.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { untilAccepted } from '../../src/dispatcher/restore-hold.ts'
import { silentLogger } from '../../src/runtime/logger.ts'
import { VirtualClock } from '../../src/runtime/virtual-clock.ts'
import { openSqliteStore } from '../../src/store/sqlite/sqlite-store.ts'
import { start } from '../store/workbench.ts'

async function heldStore() {
  const store = await openSqliteStore({ path: ':memory:', schedule: queueMicrotask })
  await store.hold('backup', start)
  return { store, clock: new VirtualClock(start), logger: silentLogger }
}

test('it begins within a second of the acceptance', async t => {
  const deps = await heldStore()
  const { store, clock } = deps
  t.after(() => store.close())
  let begunAt: number | null = null
  void untilAccepted(deps, () => false).then(() => {
    begunAt = clock.now()
  })
  await clock.run({ until: start + 10 * 60_000 })
  assert.equal(begunAt, null)
  const acceptedAt = clock.now()
  await store.liftHold()
  await clock.run({ until: acceptedAt + 1_000 })
  assert.ok(begunAt !== null && begunAt - acceptedAt <= 1_000)
})

test('it does not wait for an acceptance when it is told to stop', async t => {
  const deps = await heldStore()
  t.after(() => deps.store.close())
  let isStopping = false
  const done = untilAccepted(deps, () => isStopping)
  deps.clock.at(start + 5_000, () => {
    isStopping = true
  })
  await deps.clock.run()
  await done
})
