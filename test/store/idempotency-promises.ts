// What a store promises about Idempotency-Keys: one key, one create, one answer, for a day.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Refusal } from '../../src/domain/refusal.ts'
import { type Engine, furnish, newAgent, newPhoneNumber, newTrunk, setUp, start } from './workbench.ts'

const dayMs = 24 * 3_600_000
const answerOf = (created: unknown) => ({ status: 201, body: { created } })
const idempotency = { key: 'k1', answer: answerOf }

export function idempotencyPromises(engine: Engine): void {
  test('a key is new, then in flight, then answers again; with another body it is refused', async t => {
    const { store, workspace } = await setUp(t, engine)
    const reserve = (fingerprint: string) =>
      store.reserveIdempotencyKey(workspace.id, 'k1', fingerprint, start)
    assert.deepEqual(await reserve('body'), { verdict: 'new' })
    assert.deepEqual(await reserve('body'), { verdict: 'in-flight' })
    assert.deepEqual(await reserve('other'), { verdict: 'other-body' })
    const agent = await store.createAgent(newAgent(workspace.id), idempotency)
    const answer = { status: 201, body: { created: agent } }
    assert.deepEqual(await reserve('body'), { verdict: 'answered', answer })
    assert.deepEqual(await reserve('other'), { verdict: 'other-body' })
  })

  test('of two requests with one key that arrive together only one goes on', async t => {
    const { store, workspace } = await setUp(t, engine)
    const reserve = () => store.reserveIdempotencyKey(workspace.id, 'k1', 'body', start)
    const verdicts = (await Promise.all([reserve(), reserve(), reserve()])).map(({ verdict }) => verdict)
    assert.deepEqual(verdicts.toSorted(), ['in-flight', 'in-flight', 'new'])
  })

  test('every create keeps its answer under its key', async t => {
    const bench = await setUp(t, engine)
    const { store, workspace } = bench
    const open = await bench.import(1, { open: true })
    const listId = await store.beginImport(bench.newBatch())
    const creates = {
      agent: (key: typeof idempotency) => store.createAgent(newAgent(workspace.id), key),
      trunk: (key: typeof idempotency) => store.createTrunk(newTrunk(workspace.id), key),
      number: (key: typeof idempotency) =>
        store.createPhoneNumber(newPhoneNumber(workspace.id, { e164: '+12025550144' }), key),
      suppression: (key: typeof idempotency) =>
        store.suppress(workspace.id, ['+12025550145'], 'asked', start, key),
      batch: (key: typeof idempotency) => store.finishImport(listId, { rows: 0 }, () => {}, start, key),
      recipients: (key: typeof idempotency) =>
        store.addRecipients(workspace.id, open.id, [], [], 0, start, key),
    }
    for (const [key, create] of Object.entries(creates)) {
      const reserve = () => store.reserveIdempotencyKey(workspace.id, key, 'body', start)
      await reserve()
      const created = await create({ key, answer: answerOf })
      const { body } = answerOf(created)
      assert.deepEqual(await reserve(), { verdict: 'answered', answer: { status: 201, body } }, key)
    }
  })

  test('a key that is given back is new again; an answered one is not given back', async t => {
    const { store, workspace } = await setUp(t, engine)
    const reserve = async (fingerprint: string) =>
      (await store.reserveIdempotencyKey(workspace.id, 'k1', fingerprint, start)).verdict
    await reserve('body')
    await store.releaseIdempotencyKey(workspace.id, 'k1')
    assert.equal(await reserve('other'), 'new')
    await store.createAgent(newAgent(workspace.id), idempotency)
    await store.releaseIdempotencyKey(workspace.id, 'k1')
    assert.equal(await reserve('other'), 'answered')
  })

  test('a refused import leaves its key in flight for its owner to give back', async t => {
    const bench = await setUp(t, engine)
    const { store, workspace } = bench
    await store.reserveIdempotencyKey(workspace.id, 'k1', 'body', start)
    const batchId = await store.beginImport(bench.newBatch())
    const refuse = () => {
      throw new Refusal('invalid', 'no_good_row', 'No row can be called.')
    }
    const finished = store.finishImport(batchId, { rows: 0 }, refuse, start, idempotency)
    await assert.rejects(finished, { code: 'no_good_row' })
    const { verdict } = await store.reserveIdempotencyKey(workspace.id, 'k1', 'body', start)
    assert.equal(verdict, 'in-flight')
  })

  test('an answer is kept for 24 hours, then the key is free', async t => {
    const { store, workspace } = await setUp(t, engine)
    const reserveAt = async (now: number) =>
      (await store.reserveIdempotencyKey(workspace.id, 'k1', 'body', now)).verdict
    await reserveAt(start)
    await store.createAgent(newAgent(workspace.id), idempotency)
    assert.equal(await reserveAt(start + dayMs - 1), 'answered')
    assert.equal(await reserveAt(start + dayMs), 'new')
    assert.equal(await reserveAt(start + dayMs), 'in-flight')
  })

  test('the sweep at start frees keys whose request died, and keeps answers', async t => {
    const { store, workspace } = await setUp(t, engine)
    const reserve = async (key: string) =>
      (await store.reserveIdempotencyKey(workspace.id, key, 'body', start)).verdict
    await reserve('k1')
    await store.createAgent(newAgent(workspace.id), idempotency)
    await reserve('died')
    await store.sweep(start)
    assert.equal(await reserve('died'), 'new')
    assert.equal(await reserve('k1'), 'answered')
  })

  test("another workspace's keys are others", async t => {
    const { store, workspace } = await setUp(t, engine)
    const other = await furnish(store)
    await store.reserveIdempotencyKey(workspace.id, 'k1', 'body', start)
    const verdict = await store.reserveIdempotencyKey(other.workspace.id, 'k1', 'else', start)
    assert.deepEqual(verdict, { verdict: 'new' })
  })
}
