// What a store promises about the commit before a dial: everything that may have changed since the claim is asked again.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { CallingWindow } from '../../src/domain/calling-window.ts'
import type { PlaceVerdict } from '../../src/store/dispatch-records.ts'
import {
  assertCounted,
  type Engine,
  node,
  outcomeOf,
  person,
  setUp,
  start,
  type Workbench,
} from './workbench.ts'

const hourMs = 3_600_000
const firstHour: CallingWindow = [{ days: [1, 2, 3, 4, 5, 6, 7], from: '00:00', to: '01:00' }]
const number = person(1).number

/** What may happen between a claim and its dial, and what the dial then hears; where the recipient goes back to. */
const changes: {
  what: string
  verdict: PlaceVerdict
  window?: CallingWindow
  claimedAt?: number
  at?: number
  leaseMs?: number
  standing?: string
  change?(bench: Workbench, batchId: number): Promise<unknown>
}[] = [
  {
    what: 'its batch was paused',
    verdict: 'batch-not-running',
    change: ({ store, workspace }, id) => store.pauseBatch(workspace.id, id, 'user', start),
  },
  {
    what: 'its batch was cancelled',
    verdict: 'batch-not-running',
    standing: 'cancelled',
    change: ({ store, workspace }, id) => store.cancelBatch(workspace.id, id, start),
  },
  {
    what: 'the workspace was stopped',
    verdict: 'workspace-stopped',
    change: ({ store, workspace }) => store.setWorkspaceStopped(workspace.id, true, start),
  },
  {
    what: 'the number was suppressed',
    verdict: 'suppressed',
    standing: 'suppressed',
    change: ({ store, workspace }) => store.suppress(workspace.id, [number], 'asked', start),
  },
  {
    what: 'the window closed',
    verdict: 'window-closed',
    window: firstHour,
    claimedAt: start + hourMs - 1,
    at: start + hourMs,
  },
  {
    what: 'the limit was lowered',
    verdict: 'over-limit',
    change: ({ store, workspace }) => store.updateWorkspace(workspace.id, { maxConcurrentCalls: 0 }, start),
  },
  {
    what: "the trunk's breaker opened",
    verdict: 'breaker-open',
    change: ({ store, trunk }) => store.setTrunkBreaker(trunk.id, start + 1_000, 'sip 403', start),
  },
  {
    what: "the agent's breaker opened",
    verdict: 'breaker-open',
    change: ({ store, agent }) => store.setAgentBreaker(agent.id, start + 1_000, 'agent failed', start),
  },
  { what: 'the lease ran out', verdict: 'lease-lost', leaseMs: 0 },
]

export function placePromises(engine: Engine): void {
  test('a call that is placed is an attempt with its Call-ID, and counts', async t => {
    const bench = await setUp(t, engine)
    const { store, workspace } = bench
    const batch = await bench.import(1)
    const { claims } = await bench.claim()
    assert.deepEqual(await store.listAttempts(workspace.id, {}, { limit: 9 }), [])
    assert.deepEqual(await bench.place(claims, start + 5), ['placed'])
    const [attempt] = await store.listAttempts(workspace.id, { batchId: batch.id }, { limit: 9 })
    const { status, callId, dialedAt, ordinal, callerId, number: to } = attempt!
    assert.deepEqual(
      [status, callId, dialedAt, ordinal, callerId, to],
      ['dialing', `call-${attempt!.id}`, start + 5, 1, '+12025550100', claims[0]!.number],
    )
    const [recipient] = await store.listRecipients(workspace.id, batch.id, {}, { limit: 9 })
    assert.deepEqual([recipient?.attempts, recipient?.lastAttempt?.id], [1, attempt!.id])
    assert.equal((await bench.batch(batch.id)).progress.attempts, 1)
    await assertCounted(bench, batch.id)
  })

  for (const {
    what,
    verdict,
    window,
    claimedAt = start,
    at = start,
    leaseMs,
    standing = 'queued',
    change,
  } of changes)
    test(`a claim is not dialled when ${what}: ${verdict}`, async t => {
      const bench = await setUp(t, engine)
      const { store, workspace } = bench
      const { id } = await bench.import([person(1)], window === undefined ? {} : { window })
      const { claims } = await bench.claim({ now: claimedAt, ...(leaseMs === undefined ? {} : { leaseMs }) })
      await change?.(bench, id)
      assert.deepEqual(await bench.place(claims, at), [verdict])
      assert.deepEqual(await bench.standings(id), [standing])
      assert.equal(await store.countOpenAttempts(), 0)
      assert.equal(await store.countAttempts(workspace.id, {}), 0, 'no attempt was spent')
      await assertCounted(bench, id)
    })

  for (const { what, verdict, window, claimedAt = start, at = start, change } of changes.filter(
    ({ leaseMs }) => leaseMs === undefined,
  ))
    test(`a call that waits for its slot is forbidden when ${what}, and comes back unspent`, async t => {
      const bench = await setUp(t, engine)
      const { id } = await bench.import([person(1)], window === undefined ? {} : { window })
      const calls = await bench.call({ now: claimedAt })
      const ids = calls.map(({ attemptId }) => attemptId)
      assert.deepEqual(await bench.store.mayStillDial([...ids, 999_999], node, claimedAt), [true, false])
      await change?.(bench, id)
      assert.deepEqual(await bench.store.mayStillDial(ids, node, at), [false], verdict)
      await bench.end(calls, { next: { kind: 'put-back', dueAt: at, throttled: false } })
      assert.equal((await bench.batch(id)).progress.attempts, 0)
      await assertCounted(bench, id)
    })

  test('a verdict is given for each claim by itself', async t => {
    const bench = await setUp(t, engine, { maxConcurrentCalls: 3 })
    const { store, workspace } = bench
    const { id } = await bench.import(3)
    const { claims } = await bench.claim()
    await store.suppress(workspace.id, [claims[1]!.number], 'asked', start)
    await store.updateWorkspace(workspace.id, { maxConcurrentCalls: 1 }, start)
    assert.deepEqual(await bench.place(claims), ['placed', 'suppressed', 'over-limit'])
    assert.deepEqual(await bench.standings(id), ['calling', 'suppressed', 'queued'])
    await assertCounted(bench, id)
  })

  test('a claim is placed once, by the node that made it, and only if it was made', async t => {
    const bench = await setUp(t, engine)
    const { id } = await bench.import(1)
    const { claims } = await bench.claim()
    const [call] = claims.map(({ attemptId }) => ({ attemptId, callId: 'x' }))
    assert.deepEqual(await bench.store.placeCalls([call!], 'node-2', start), ['lease-lost'])
    assert.deepEqual(await bench.standings(id), ['calling'], "another node's claim is left alone")
    const { attemptId } = call!
    const twice = [call!, { attemptId, callId: 'y' }]
    assert.deepEqual(await bench.store.placeCalls(twice, node, start), ['placed', 'lease-lost'])
    const [attempt] = await bench.store.listAttempts(bench.workspace.id, {}, { limit: 9 })
    assert.equal(attempt?.callId, 'x')
    assert.deepEqual(await bench.store.placeCalls([{ attemptId: 999, callId: 'x' }], node, start), [
      'lease-lost',
    ])
    await assertCounted(bench, id)
  })

  test('a retry that is put back waits on as a retry', async t => {
    const bench = await setUp(t, engine)
    const { store, workspace } = bench
    const { id } = await bench.import(1)
    const retry = { kind: 'retry', dueAt: start } as const
    await bench.end(await bench.call(), { outcome: outcomeOf('busy'), next: retry })
    const { claims } = await bench.claim()
    await store.setWorkspaceStopped(workspace.id, true, start)
    assert.deepEqual(await bench.place(claims), ['workspace-stopped'])
    assert.deepEqual(await bench.standings(id), ['waiting'])
    await store.setWorkspaceStopped(workspace.id, false, start)
    assert.equal((await bench.call())[0]?.ordinal, 2)
    await assertCounted(bench, id)
  })

  test('a batch completes when its last recipient turns out to be suppressed at the dial', async t => {
    const bench = await setUp(t, engine)
    const { id } = await bench.import([person(1)])
    const { claims } = await bench.claim()
    await bench.store.suppress(bench.workspace.id, [number], 'asked', start)
    assert.equal((await bench.batch(id)).status, 'running')
    await bench.place(claims)
    assert.equal((await bench.batch(id)).status, 'completed')
  })

  test('a suppressed number leaves every queue of its workspace at once, and is called again once it is lifted', async t => {
    const bench = await setUp(t, engine)
    const { store, workspace } = bench
    const paused = await bench.import([person(1), person(2)])
    await store.pauseBatch(workspace.id, paused.id, 'user', start)
    const last = await bench.import([person(1)])
    await store.suppress(workspace.id, [number], 'asked', start)
    assert.deepEqual(await bench.standings(paused.id), ['suppressed', 'queued'])
    assert.equal((await bench.batch(last.id)).status, 'completed')
    await store.unsuppress(workspace.id, number, start)
    await bench.import([person(1)])
    assert.deepEqual(
      (await bench.call()).map(call => call.number),
      [number],
    )
    await assertCounted(bench, paused.id)
  })

  test('progress is kept in order: ringing, then answered, never back', async t => {
    const bench = await setUp(t, engine)
    const { store, workspace } = bench
    await bench.import(1)
    const { claims } = await bench.claim()
    const [{ attemptId }] = claims as [(typeof claims)[0]]
    const attempt = async () => {
      const [found] = await store.listAttempts(workspace.id, {}, { limit: 1 })
      return found === undefined ? null : [found.status, found.answeredAt]
    }
    await store.recordProgress([{ attemptId, status: 'answered', at: start }])
    assert.equal(await attempt(), null, 'nothing rings before it is dialled')
    await bench.place(claims)
    await store.recordProgress([{ attemptId, status: 'ringing', at: start + 1 }])
    assert.deepEqual(await attempt(), ['ringing', null])
    await store.recordProgress([
      { attemptId, status: 'answered', at: start + 2 },
      { attemptId, status: 'ringing', at: start + 3 },
      { attemptId, status: 'answered', at: start + 4 },
      { attemptId: 999_999, status: 'ringing', at: start },
    ])
    assert.deepEqual(await attempt(), ['answered', start + 2])
  })
}
