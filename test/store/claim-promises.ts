// What a store promises about claims: within every limit, shared fairly, retries first, one call per number at a time.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Claim } from '../../src/store/dispatch-records.ts'
import {
  assertCounted,
  type Engine,
  type Furniture,
  furnish,
  newAgent,
  newPhoneNumber,
  newTrunk,
  outcomeOf,
  people,
  person,
  setUp,
  start,
} from './workbench.ts'

/** Each scope limited to 3 while the others have room, and two batches in it. */
const limited: Record<string, { furniture: Furniture; batch?: { maxConcurrentCalls: number } }> = {
  workspace: { furniture: { maxConcurrentCalls: 3 } },
  trunk: { furniture: { trunk: { maxConcurrentCalls: 3 } } },
  'caller ID': { furniture: { phoneNumber: { maxConcurrentCalls: 3 } } },
  agent: { furniture: { agent: { maxConcurrentCalls: 3 } } },
  batch: { furniture: {}, batch: { maxConcurrentCalls: 3 } },
}

const countOf = (claims: readonly Claim[], batchId: number) =>
  claims.filter(claim => claim.batchId === batchId).length

export function claimPromises(engine: Engine): void {
  test('a claim carries all that a call needs', async t => {
    const bench = await setUp(t, engine, { trunk: { callsPerSecond: 10 } })
    const retry = { maxAttempts: 2, delaysMs: { busy: [1_000] } }
    const rules = { retry, callsPerSecond: 4, ringTimeoutMs: 20_000, maxCallMs: 60_000 }
    const batch = await bench.import([person(1, { zone: 'Asia/Kolkata' })], rules)
    const { claims } = await bench.claim()
    const [recipient] = await bench.store.listRecipients(bench.workspace.id, batch.id, {}, { limit: 9 })
    assert.deepEqual(claims, [
      {
        attemptId: claims[0]?.attemptId,
        workspaceId: bench.workspace.id,
        batchId: batch.id,
        recipientId: recipient?.id,
        trunkId: bench.trunk.id,
        phoneNumberId: bench.phoneNumber.id,
        agentId: bench.agent.id,
        number: person(1).number,
        callerId: '+12025550100',
        zone: 'Asia/Kolkata',
        variablesJson: '{"row":1}',
        ordinal: 1,
        putBacks: 0,
        firstPutBackAt: null,
        slotAt: start,
        dialBefore: null,
        trunkSpacingMs: 100,
        batchSpacingMs: 250,
        ringTimeoutMs: 20_000,
        maxCallMs: 60_000,
        record: false,
        trace: false,
        answeringMachine: 'off',
        retry,
      },
    ])
    assert.deepEqual(await bench.standings(batch.id), ['calling'])
    assert.equal(recipient?.lastAttempt, null, 'a reserved place is no call yet')
    assert.equal((await bench.claim()).claims.length, 0)
    await assertCounted(bench, batch.id)
  })

  for (const [scope, { furniture, batch: rules }] of Object.entries(limited))
    test(`open attempts never pass the limit of the ${scope}, and a place that is freed is given again`, async t => {
      const bench = await setUp(t, engine, furniture)
      await bench.import(10, rules)
      if (scope !== 'batch') await bench.import(10)
      const calls = await bench.call()
      assert.equal(calls.length, 3)
      assert.equal((await bench.claim()).claims.length, 0)
      await bench.end(calls.slice(0, 2))
      assert.equal((await bench.call()).length, 2)
      assert.equal(await bench.store.countOpenAttempts(), 3)
    })

  test('a limit holds across the batches, numbers and agents that share it, and only there', async t => {
    const bench = await setUp(t, engine, { trunk: { maxConcurrentCalls: 2 } })
    const { store, workspace, trunk } = bench
    const otherTrunk = await store.createTrunk(newTrunk(workspace.id, { maxConcurrentCalls: 3 }))
    const agent = await store.createAgent(newAgent(workspace.id))
    const number = (e164: string, trunkId: number) =>
      store.createPhoneNumber(newPhoneNumber(workspace.id, { e164, trunkId }))
    const same = await number('+12025550102', trunk.id)
    const elsewhere = await number('+12025550103', otherTrunk.id)
    const first = await bench.import(10)
    const second = await bench.import(10, { phoneNumberId: same.id, agentId: agent.id })
    const third = await bench.import(10, { phoneNumberId: elsewhere.id })
    const { claims } = await bench.claim()
    assert.deepEqual(
      [first, second, third].map(({ id }) => countOf(claims, id)),
      [1, 1, 3],
    )
  })

  test('a limit that is lowered holds for what is called next; one that is raised is used at once', async t => {
    const bench = await setUp(t, engine, { maxConcurrentCalls: 5 })
    const { store, workspace } = bench
    await bench.import(20)
    const calls = await bench.call()
    await store.updateWorkspace(workspace.id, { maxConcurrentCalls: 3 }, start)
    await bench.end(calls.slice(0, 2))
    assert.equal((await bench.claim()).claims.length, 0)
    await bench.end(calls.slice(2, 3))
    assert.equal((await bench.claim()).claims.length, 1)
    await store.updateWorkspace(workspace.id, { maxConcurrentCalls: 8 }, start)
    assert.equal((await bench.claim()).claims.length, 5)
  })

  test('ten people never wait behind five hundred: free places are shared one to one', async t => {
    const bench = await setUp(t, engine, { maxConcurrentCalls: 20 })
    const large = await bench.import(500)
    const small = await bench.import(10)
    const calls = await bench.call()
    assert.deepEqual([countOf(calls, large.id), countOf(calls, small.id)], [10, 10])
    await bench.end(calls)
    assert.equal((await bench.batch(small.id)).status, 'completed')
    assert.equal(countOf(await bench.call(), large.id), 20)
  })

  test('a batch that came later is given the next places until it has as many', async t => {
    const bench = await setUp(t, engine, { maxConcurrentCalls: 10 })
    await bench.import(50)
    const calls = await bench.call()
    const later = await bench.import(50)
    await bench.end(calls.slice(0, 6))
    assert.equal(countOf(await bench.call(), later.id), 5)
  })

  test('what bounds one claim is shared fairly too, and says that there is more', async t => {
    const bench = await setUp(t, engine, { maxConcurrentCalls: 100 })
    const [one, other] = [await bench.import(50), await bench.import(50)]
    const { claims, more } = await bench.claim({ maxClaims: 10 })
    assert.deepEqual([countOf(claims, one.id), countOf(claims, other.id), more], [5, 5, true])
    assert.equal((await bench.claim({ maxClaims: 1_000 })).more, false)
  })

  test('places that one batch cannot use go to the others', async t => {
    const bench = await setUp(t, engine, { maxConcurrentCalls: 12 })
    const [few, bounded, many] = [
      await bench.import(2),
      await bench.import(50, { maxConcurrentCalls: 3 }),
      await bench.import(50),
    ]
    const { claims } = await bench.claim()
    assert.deepEqual(
      [few, bounded, many].map(({ id }) => countOf(claims, id)),
      [2, 3, 7],
    )
  })

  test('who is rung again is rung before those who were never called, in order of the due time', async t => {
    const bench = await setUp(t, engine, { maxConcurrentCalls: 2 })
    const batch = await bench.import(10)
    const [one, two] = await bench.call()
    const retryAt = (dueAt: number) =>
      ({ outcome: outcomeOf('busy'), next: { kind: 'retry', dueAt } }) as const
    await bench.end([one!], retryAt(start + 2_000))
    await bench.end([two!], retryAt(start + 1_000))
    const early = await bench.claim({ now: start + 999 })
    assert.deepEqual(
      early.claims.map(({ ordinal }) => ordinal),
      [1, 1],
    )
    await bench.store.releaseClaims(
      early.claims.map(({ attemptId }) => attemptId),
      start + 999,
    )
    const { claims } = await bench.claim({ now: start + 2_000 })
    assert.deepEqual(
      claims.map(({ recipientId, ordinal }) => [recipientId, ordinal]),
      [
        [two!.recipientId, 2],
        [one!.recipientId, 2],
      ],
    )
    await assertCounted(bench, batch.id)
  })

  test('the claim names the instant at which the next retry falls due', async t => {
    const bench = await setUp(t, engine)
    await bench.import(1)
    const retry = { kind: 'retry', dueAt: start + 5_000 } as const
    await bench.end(await bench.call(), { outcome: outcomeOf('busy'), next: retry })
    assert.deepEqual(await bench.claim(), { claims: [], wakeAt: start + 5_000, more: false })
    assert.equal((await bench.claim({ now: start + 5_000 })).claims.length, 1)
  })

  test('who is put back keeps the first call unspent, and a throttled one is counted', async t => {
    const bench = await setUp(t, engine)
    const { id } = await bench.import(1)
    const putBack = async (now: number, throttled: boolean) => {
      const calls = await bench.call({ now })
      const next = { kind: 'put-back', dueAt: now + 1_000, throttled } as const
      await bench.end(calls, { outcome: outcomeOf('carrier-failure'), endedAt: now, next })
      return calls[0]!
    }
    await putBack(start, false)
    await putBack(start + 1_000, true)
    const again = await bench.claim({ now: start + 1_999 })
    assert.deepEqual([again.claims.length, again.wakeAt], [0, start + 2_000])
    assert.deepEqual(await bench.standings(id), ['queued'])
    await putBack(start + 2_000, true)
    const { claims } = await bench.claim({ now: start + 3_000 })
    const [{ ordinal, putBacks, firstPutBackAt }] = claims as [Claim]
    assert.deepEqual([ordinal, putBacks, firstPutBackAt], [1, 2, start + 1_000])
    assert.equal((await bench.batch(id)).progress.attempts, 0)
    const told = (await bench.events(id)).filter(type => type === 'attempt.put-back')
    assert.equal(told.length, 3)
    await assertCounted(bench, id)
  })

  test('a number that another batch of the workspace is calling is left for later; another workspace may', async t => {
    const bench = await setUp(t, engine)
    const first = await bench.import(people(2))
    const second = await bench.import(people(2))
    const { claims, wakeAt } = await bench.claim()
    assert.equal(new Set(claims.map(({ number }) => number)).size, 2)
    assert.equal(claims.length, 2)
    assert.ok(wakeAt !== null && wakeAt > start && wakeAt <= start + 10_000)
    const other = await furnish(bench.store)
    const foreign = await other.import(people(2))
    assert.equal(countOf((await bench.claim()).claims, foreign.id), 2)
    await bench.place(claims)
    await bench.end(claims)
    assert.equal((await bench.call({ now: wakeAt })).length, 2)
    await assertCounted(bench, first.id)
    await assertCounted(bench, second.id)
  })

  test('claims that are given back stand where they stood', async t => {
    const bench = await setUp(t, engine)
    const { id } = await bench.import(2)
    let work = 0
    const { claims } = await bench.claim()
    bench.store.onWork(() => work++)
    const ids = claims.map(({ attemptId }) => attemptId)
    await bench.store.releaseClaims([...ids, 999_999], start)
    assert.deepEqual([await bench.standings(id), work], [['queued', 'queued'], 1])
    assert.deepEqual(await bench.place(claims), ['lease-lost', 'lease-lost'])
    const calls = await bench.call()
    await bench.store.releaseClaims(
      calls.map(({ attemptId }) => attemptId),
      start,
    )
    assert.deepEqual(
      await bench.standings(id),
      ['calling', 'calling'],
      'a call that was placed is not given back',
    )
    await assertCounted(bench, id)
  })

  test('claims of one moment never share a place or a person', async t => {
    const bench = await setUp(t, engine, { maxConcurrentCalls: 7 })
    await bench.import(30)
    const answers = await Promise.all([bench.claim(), bench.claim({ nodeId: 'node-2' }), bench.claim()])
    const claims = answers.flatMap(answer => answer.claims)
    assert.equal(claims.length, 7)
    assert.equal(new Set(claims.map(({ recipientId }) => recipientId)).size, 7)
    assert.equal(new Set(claims.map(({ attemptId }) => attemptId)).size, 7)
    assert.equal((await bench.adopt()).length, answers[1]!.claims.length)
  })
}
