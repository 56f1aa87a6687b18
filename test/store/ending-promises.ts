// What a store promises about the end of a call: it is recorded once, with all that follows from it.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { selfPauseRule } from '../../src/domain/pacing.ts'
import { assertCounted, type Engine, outcomeOf, people, person, setUp, start } from './workbench.ts'

const page = { limit: 1_000 }
const finish = { kind: 'finish' } as const

export function endingPromises(engine: Engine): void {
  test('an answered call is recorded whole: attempt, recipient, sums, event', async t => {
    const bench = await setUp(t, engine)
    const { store, workspace } = bench
    const { id } = await bench.import(1, { open: true })
    const [call] = await bench.call()
    const outcome = outcomeOf('answered')
    const how = { outcome, answeredAt: start + 1_000, endedAt: start + 61_000, costMillicents: 3_500 }
    assert.deepEqual(await bench.end([call!], how), { completed: [], recorded: [true] })
    const { consequence: _, ...kept } = outcome
    const [attempt] = await store.listAttempts(workspace.id, {}, page)
    const attempts = { recipientPosition: 1, recipientAttempts: 1, maxAttempts: 1, standing: 'answered' }
    assert.deepEqual(attempt, {
      id: call!.attemptId,
      batchId: id,
      recipientId: call!.recipientId,
      ordinal: 1,
      number: call!.number,
      callerId: '+12025550100',
      trunkId: bench.trunk.id,
      status: 'ended',
      callId: `call-${call!.attemptId}`,
      dialedAt: start,
      answeredAt: start + 1_000,
      endedAt: start + 61_000,
      outcome: kept,
      costMillicents: 3_500,
      variables: { row: 1 },
      results: null,
      recordingBytes: null,
      ...attempts,
    })
    const [recipient] = await store.listRecipients(workspace.id, id, {}, page)
    assert.deepEqual(
      [recipient?.standing, recipient?.attempts, recipient?.finishedAt],
      ['answered', 1, start + 61_000],
    )
    assert.equal(recipient?.lastAttempt?.id, call!.attemptId)
    const { talkMs, endedAttempts, failedAttempts, costMillicents } = (await bench.batch(id)).progress
    assert.deepEqual([talkMs, endedAttempts, failedAttempts, costMillicents], [60_000, 1, 0, 3_500])
    const event = (await store.listEvents(workspace.id, page)).at(-1)
    const { nextRetryAt, disposition } = event?.data ?? {}
    assert.deepEqual(
      [event?.type, event?.batchId, disposition, nextRetryAt],
      ['attempt.ended', id, 'answered', null],
    )
    await assertCounted(bench, id)
  })

  test('an end is recorded once: not twice, not of a claim, not of a call that never was', async t => {
    const bench = await setUp(t, engine)
    const { id } = await bench.import(2)
    const { claims } = await bench.claim()
    await bench.place([claims[0]!])
    const again = await bench.end([claims[0]!, claims[0]!, claims[1]!, { ...claims[1]!, attemptId: 999_999 }])
    assert.deepEqual(again, { completed: [], recorded: [true, false, false, false] })
    const { progress } = await bench.batch(id)
    assert.deepEqual([progress.counts.answered, progress.endedAttempts], [1, 1])
    await assertCounted(bench, id)
  })

  test('the first answer that was recorded holds when the end names none', async t => {
    const bench = await setUp(t, engine)
    await bench.import(1)
    const calls = await bench.call()
    await bench.store.recordProgress([{ attemptId: calls[0]!.attemptId, status: 'answered', at: start + 5 }])
    await bench.end(calls, { endedAt: start + 15 })
    const [attempt] = await bench.store.listAttempts(bench.workspace.id, {}, page)
    assert.equal(attempt?.answeredAt, start + 5)
  })

  test('a retry keeps its call, waits until it is due, and ends as its last call ended', async t => {
    const bench = await setUp(t, engine)
    const { store, workspace } = bench
    const { id } = await bench.import(1)
    const retry = { kind: 'retry', dueAt: start + 1_000 } as const
    const first = await bench.end(await bench.call(), { outcome: outcomeOf('busy'), next: retry })
    assert.deepEqual(first, { completed: [], recorded: [true] })
    const [waiting] = await store.listRecipients(workspace.id, id, {}, page)
    assert.deepEqual(
      [waiting?.standing, waiting?.dueAt, waiting?.finishedAt],
      ['waiting', start + 1_000, null],
    )
    assert.equal(waiting?.lastAttempt?.outcome?.disposition, 'busy')
    const outcome = { ...outcomeOf('no-answer'), sipStatus: 408 }
    const second = await bench.end(await bench.call({ now: start + 1_000 }), { outcome })
    assert.deepEqual(second, { completed: [id], recorded: [true] })
    assert.deepEqual(await bench.standings(id), ['timeout'])
    const attempts = await store.listAttempts(workspace.id, {}, page)
    assert.deepEqual(
      attempts.map(({ ordinal, recipientAttempts, standing }) => [ordinal, recipientAttempts, standing]),
      [
        [1, 2, 'timeout'],
        [2, 2, 'timeout'],
      ],
    )
    assert.equal(await store.countAttempts(workspace.id, { batchId: id }), 2)
    await assertCounted(bench, id)
  })

  test('a batch completes exactly with its last recipient, also while it is paused', async t => {
    const bench = await setUp(t, engine)
    const { store, workspace } = bench
    const [one, other] = [await bench.import(2), await bench.import(1)]
    const calls = await bench.call()
    const of = (id: number) => calls.filter(({ batchId }) => batchId === id)
    await store.pauseBatch(workspace.id, other.id, 'user', start)
    assert.deepEqual((await bench.end(of(one.id).slice(0, 1))).completed, [])
    const rest = [...of(one.id).slice(1), ...of(other.id)]
    assert.deepEqual((await bench.end(rest, { endedAt: start + 9 })).completed.toSorted(), [one.id, other.id])
    for (const { id } of [one, other]) {
      const { status, completedAt } = await bench.batch(id)
      assert.deepEqual([status, completedAt], ['completed', start + 9])
      assert.equal((await bench.events(id)).filter(type => type === 'batch.completed').length, 1)
      await assertCounted(bench, id)
    }
  })

  test('a person who says no is suppressed everywhere, and what completes by that is named', async t => {
    const bench = await setUp(t, engine)
    const { store, workspace } = bench
    const [first, second] = [await bench.import([person(1)]), await bench.import([person(1)])]
    const calls = await bench.call()
    assert.equal(calls.length, 1)
    const { completed } = await bench.end(calls, { outcome: outcomeOf('unreachable'), suppress: true })
    assert.deepEqual(completed.toSorted(), [first.id, second.id])
    const called = calls[0]!.batchId
    for (const { id } of [first, second]) {
      assert.deepEqual(await bench.standings(id), [id === called ? 'unreachable' : 'suppressed'])
      assert.equal((await bench.batch(id)).status, 'completed')
      await assertCounted(bench, id)
    }
    const [listed] = await store.listSuppressions(workspace.id, { limit: 9 })
    assert.equal(listed?.number, person(1).number)
    assert.deepEqual(await bench.events(null), ['number.suppressed'])
  })

  test('a person who says no is not rung again, even if a retry was decided', async t => {
    const bench = await setUp(t, engine)
    const { id } = await bench.import(1)
    const retry = { kind: 'retry', dueAt: start } as const
    const calls = await bench.call()
    await bench.end(calls, { outcome: outcomeOf('busy'), next: retry, suppress: true })
    assert.deepEqual(
      [await bench.standings(id), (await bench.batch(id)).status],
      [['suppressed'], 'completed'],
    )
    await assertCounted(bench, id)
  })

  test('costs are taken from the credit, where there is one', async t => {
    const bench = await setUp(t, engine)
    const { store, workspace } = bench
    await bench.import(4)
    const calls = await bench.call()
    const credit = async () => (await store.getWorkspace(workspace.id))?.creditMillicents
    await bench.end(calls.slice(0, 1), { costMillicents: 100 })
    assert.equal(await credit(), null)
    await store.updateWorkspace(workspace.id, { creditMillicents: 1_000 }, start)
    await bench.end(calls.slice(1), { costMillicents: 150 })
    assert.equal(await credit(), 550)
  })

  test(`a batch whose first ${selfPauseRule.sample} calls nearly all fail pauses itself, once`, async t => {
    const bench = await setUp(t, engine)
    const { store, workspace } = bench
    const { sample, ratio } = selfPauseRule
    const { id } = await bench.import(sample * 3)
    const failing = { outcome: outcomeOf('carrier-failure') }
    const calls = await bench.call({ maxClaims: sample + 1 })
    const good = sample - Math.ceil(sample * ratio)
    await bench.end(calls.slice(0, good))
    await bench.end(calls.slice(good, sample - 1), failing)
    assert.equal((await bench.batch(id)).status, 'running')
    await bench.end(calls.slice(sample - 1, sample), failing)
    const paused = await bench.batch(id)
    assert.deepEqual([paused.status, paused.statusReason], ['paused', 'first_calls_failed'])
    const event = (await store.listEvents(workspace.id, page)).at(-1)
    assert.deepEqual([event?.type, event?.data], ['batch.paused', { reason: 'first_calls_failed' }])
    await store.resumeBatch(workspace.id, id, start)
    await bench.end(calls.slice(sample), failing)
    await bench.end(await bench.call({ maxClaims: sample }), failing)
    assert.equal((await bench.batch(id)).status, 'running', 'who resumed it has decided')
    await assertCounted(bench, id)
  })

  test('one call less that fails, and the batch goes on', async t => {
    const bench = await setUp(t, engine)
    const { sample, ratio } = selfPauseRule
    const { id } = await bench.import(sample * 2)
    const calls = await bench.call({ maxClaims: sample })
    const good = sample - Math.ceil(sample * ratio) + 1
    await bench.end(calls.slice(0, good))
    await bench.end(calls.slice(good), { outcome: outcomeOf('carrier-failure') })
    assert.equal((await bench.batch(id)).status, 'running')
  })

  test('what another node left open is listed with all that is known of it', async t => {
    const bench = await setUp(t, engine)
    const { store } = bench
    const { id } = await bench.import(people(4))
    const { claims } = await bench.claim()
    await bench.place(claims.slice(1), start + 1)
    const progress = (index: number, status: 'ringing' | 'answered') =>
      ({ attemptId: claims[index]!.attemptId, status, at: start + 2 }) as const
    await store.recordProgress([progress(2, 'ringing'), progress(3, 'answered')])
    const orphans = await bench.adopt('node-2')
    assert.deepEqual(
      orphans.map(({ status, callId, dialedAt, answeredAt }) => [status, callId, dialedAt, answeredAt]),
      [
        ['claimed', null, null, null],
        ['dialing', `call-${claims[1]!.attemptId}`, start + 1, null],
        ['ringing', `call-${claims[2]!.attemptId}`, start + 1, null],
        ['answered', `call-${claims[3]!.attemptId}`, start + 1, start + 2],
      ],
    )
    for (const [
      index,
      { number, callerId, recipientId, ordinal, variablesJson, trunkKind },
    ] of orphans.entries()) {
      const claim = claims[index]!
      assert.deepEqual(
        [number, callerId, recipientId, ordinal, variablesJson, trunkKind],
        [claim.number, claim.callerId, claim.recipientId, 1, claim.variablesJson, 'simulated'],
      )
    }
    const lost = { outcome: outcomeOf('lost'), next: finish }
    await store.releaseClaims([orphans[0]!.attemptId], start)
    assert.deepEqual((await bench.end(orphans.slice(1), lost)).recorded, [true, true, true])
    assert.deepEqual(await bench.standings(id), ['queued', 'lost', 'lost', 'lost'])
    assert.deepEqual(await bench.adopt('node-3'), [])
    await assertCounted(bench, id)
  })
}
