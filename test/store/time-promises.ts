// What a store promises about when somebody is called: windows, starts, stops, breakers, and slots under a rate.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { CallingWindow } from '../../src/domain/calling-window.ts'
import { type Engine, furnish, newPhoneNumber, person, setUp, start } from './workbench.ts'

const hourMs = 3_600_000
const nineToFive: CallingWindow = [{ days: [1, 2, 3, 4, 5, 6, 7], from: '09:00', to: '17:00' }]

export function timePromises(engine: Engine): void {
  test('only people in zones whose window is open are claimed; the next opening is named', async t => {
    const bench = await setUp(t, engine)
    // 04:00 UTC is 09:30 in Kolkata; London opens at 09:00 UTC, New York at 14:00.
    const zones = ['Europe/London', 'Asia/Kolkata', 'America/New_York']
    const rows = zones.map((zone, index) => person(index + 1, { zone }))
    await bench.import(rows, { window: nineToFive })
    const at = async (hour: number) => {
      const { claims, wakeAt } = await bench.claim({ now: start + hour * hourMs })
      return [claims.map(({ zone }) => zone), wakeAt === null ? null : (wakeAt - start) / hourMs]
    }
    assert.deepEqual(await at(3), [[], 3.5])
    assert.deepEqual(await at(4), [['Asia/Kolkata'], 9])
    assert.deepEqual(await at(9), [['Europe/London'], 14])
    assert.deepEqual(await at(14), [['America/New_York'], null])
  })

  test('who may be in one of several zones is called only while all of them are open', async t => {
    const bench = await setUp(t, engine)
    await bench.import([person(1, { zone: 'Europe/London|America/New_York' })], { window: nineToFive })
    const early = await bench.claim({ now: start + 10 * hourMs })
    assert.deepEqual([early.claims.length, early.wakeAt], [0, start + 14 * hourMs])
    assert.equal((await bench.claim({ now: start + 16 * hourMs })).claims.length, 1)
  })

  test("the workspace's window holds where the batch has none, and a change of it at once", async t => {
    const bench = await setUp(t, engine)
    const { store, workspace } = bench
    await store.updateWorkspace(workspace.id, { window: nineToFive }, start)
    await bench.import(1)
    assert.equal((await bench.claim()).wakeAt, start + 9 * hourMs)
    await store.updateWorkspace(workspace.id, { window: null }, start)
    assert.equal((await bench.claim()).claims.length, 1)
  })

  test('on a SIP trunk nobody is called at night when nobody set a window', async t => {
    const bench = await setUp(t, engine, { trunk: { kind: 'sip' } })
    await bench.import(1)
    const { claims, wakeAt } = await bench.claim()
    assert.deepEqual([claims.length, wakeAt], [0, start + 8 * hourMs])
  })

  test('a batch starts within the claim at its time, and the claim names the next start', async t => {
    const bench = await setUp(t, engine)
    const first = await bench.import(1, { scheduledAt: start + 1_000 })
    await bench.import(1, { scheduledAt: start + 5_000 })
    assert.equal((await bench.claim()).wakeAt, start + 1_000)
    const { claims, wakeAt } = await bench.claim({ now: start + 1_000 })
    assert.deepEqual([claims.length, claims[0]?.batchId, wakeAt], [1, first.id, start + 5_000])
    const { status, startedAt } = await bench.batch(first.id)
    assert.deepEqual([status, startedAt], ['running', start + 1_000])
    assert.deepEqual((await bench.events(first.id)).slice(1), ['batch.scheduled', 'batch.started'])
  })

  test('a batch whose people are gone before its start completes at its start', async t => {
    const bench = await setUp(t, engine)
    const { id } = await bench.import([person(1)], { scheduledAt: start + 1_000 })
    await bench.store.suppress(bench.workspace.id, [person(1).number], 'asked', start)
    await bench.claim({ now: start + 1_000 })
    assert.equal((await bench.batch(id)).status, 'completed')
  })

  test('a stopped workspace claims nothing until it goes on; others are not held', async t => {
    const bench = await setUp(t, engine)
    await bench.import(1)
    await bench.store.setWorkspaceStopped(bench.workspace.id, true, start)
    const other = await furnish(bench.store)
    const { id } = await other.import(1)
    assert.deepEqual(
      (await bench.claim()).claims.map(({ batchId }) => batchId),
      [id],
    )
    await bench.store.setWorkspaceStopped(bench.workspace.id, false, start)
    assert.equal((await bench.claim()).claims.length, 1)
  })

  test('a paused batch claims nothing', async t => {
    const bench = await setUp(t, engine)
    const { id } = await bench.import(1)
    await bench.store.pauseBatch(bench.workspace.id, id, 'user', start)
    assert.deepEqual(await bench.claim(), { claims: [], wakeAt: null, more: false })
  })

  for (const [scope, rules] of [
    ['trunk', { trunk: { callsPerSecond: 20 } }],
    ['batch', {}],
  ] as const)
    test(`calls of a ${scope} are spaced evenly, within the horizon, and go on where they stopped`, async t => {
      const bench = await setUp(t, engine, rules)
      await bench.import(50, scope === 'batch' ? { callsPerSecond: 20 } : {})
      const slots = async (now: number) =>
        (await bench.claim({ now })).claims.map(({ slotAt }) => slotAt - start)
      assert.deepEqual(await slots(start), [0, 50, 100, 150, 200, 250])
      const again = await bench.claim()
      assert.equal(again.claims.length, 0)
      assert.ok(again.wakeAt !== null && again.wakeAt > start && again.wakeAt <= start + 300)
      assert.deepEqual(await slots(start + 200), [300, 350, 400, 450])
      assert.deepEqual((await slots(start + 10_000)).slice(0, 2), [10_000, 10_050], 'nothing is caught up')
    })

  test('the slower of trunk and batch decides, and batches on one trunk take turns', async t => {
    const bench = await setUp(t, engine, { trunk: { callsPerSecond: 20 } })
    const slow = await bench.import(50, { callsPerSecond: 10 })
    const free = await bench.import(50)
    const { claims } = await bench.claim({ horizonMs: 1_000 })
    const slots = claims.toSorted((one, other) => one.slotAt - other.slotAt)
    const gaps = slots.slice(1).map(({ slotAt }, index) => slotAt - slots[index]!.slotAt)
    assert.ok(Math.min(...gaps) >= 50, `gaps of ${gaps}`)
    const own = slots.filter(({ batchId }) => batchId === slow.id).map(({ slotAt }) => slotAt)
    assert.ok(own.length >= 9)
    assert.ok(own.slice(1).every((slotAt, index) => slotAt - own[index]! >= 100))
    assert.ok(slots.slice(0, 4).some(({ batchId }) => batchId === free.id))
  })

  test('two trunks are spaced apart from each other', async t => {
    const bench = await setUp(t, engine, { trunk: { callsPerSecond: 1 } })
    const { store, workspace } = bench
    const number = await store.createPhoneNumber(newPhoneNumber(workspace.id, { e164: '+12025550109' }))
    const [paced, free] = [await bench.import(5), await bench.import(5, { phoneNumberId: number.id })]
    const { claims } = await bench.claim()
    const count = (id: number) => claims.filter(({ batchId }) => batchId === id).length
    assert.deepEqual([count(paced.id), count(free.id)], [1, 5])
  })

  test('a call that leaves later than its slot moves the slots after it', async t => {
    const bench = await setUp(t, engine, { trunk: { callsPerSecond: 10 } })
    await bench.import(50)
    const { claims } = await bench.claim({ horizonMs: 0 })
    await bench.place(claims, start + 500)
    const next = await bench.claim({ now: start + 500, horizonMs: 1_000 })
    assert.equal(next.claims[0]?.slotAt, start + 600)
  })

  test('a trunk that the carrier slowed keeps the slower rate until it is lifted', async t => {
    const bench = await setUp(t, engine, { trunk: { callsPerSecond: 20 } })
    const { store, trunk } = bench
    await bench.import(50)
    await store.setTrunkSlowed(trunk.id, 2, start)
    assert.equal((await store.getTrunk(trunk.id))?.slowedCallsPerSecond, 2)
    const { claims } = await bench.claim()
    assert.deepEqual(
      claims.map(({ slotAt, trunkSpacingMs }) => [slotAt, trunkSpacingMs]),
      [[start, 500]],
    )
    await store.setTrunkSlowed(trunk.id, null, start)
    assert.equal((await bench.claim({ now: start + 500 })).claims.length, 6)
    assert.deepEqual(await bench.events(null), ['trunk.slowed', 'trunk.slowed'])
  })

  for (const scope of ['trunk', 'agent'] as const)
    test(`an open breaker of the ${scope} lets nothing out, a half-open one a single call`, async t => {
      const bench = await setUp(t, engine)
      const { store, trunk, agent } = bench
      const until = start + 30_000
      const set = (at: number | null) =>
        scope === 'trunk'
          ? store.setTrunkBreaker(trunk.id, at, at === null ? null : 'sip 403', start)
          : store.setAgentBreaker(agent.id, at, at === null ? null : 'agent failed', start)
      await bench.import(10)
      await bench.import(10)
      await set(until)
      const kept = scope === 'trunk' ? await store.getTrunk(trunk.id) : await store.getAgent(agent.id)
      assert.equal(kept?.breakerUntil, until)
      assert.deepEqual(await bench.claim(), { claims: [], wakeAt: until, more: false })
      const trial = await bench.call({ now: until })
      assert.equal(trial.length, 1)
      assert.equal((await bench.claim({ now: until })).claims.length, 0)
      await set(null)
      assert.equal((await bench.claim({ now: until })).claims.length, 19)
      assert.deepEqual(await bench.events(null), [`${scope}.breaker-opened`, `${scope}.breaker-closed`])
    })
}
