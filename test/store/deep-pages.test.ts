// Pages far down a long list: the same people as by reading all of it, and nobody else waits for them.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { seedBatch } from '../../bench/seed-batch.ts'
import { noRetries } from '../../src/domain/retry.ts'
import { openSqliteStore } from '../../src/store/sqlite/sqlite-store.ts'

const people = 12_000

test('a page far down holds the people whose turn it is, whatever it is filtered by', async () => {
  const store = await openSqliteStore({ path: ':memory:' })
  const { workspaceId, batchId } = await seedBatch(store, {
    recipients: people,
    trunkSettings: {},
    maxConcurrentCalls: 100,
    retry: noRetries,
    startAs: 'running',
  })
  // Some are being called, so that the page is put together from several standings.
  const request = { now: Date.now(), nodeId: 'node', leaseMs: 60_000, maxClaims: 50, horizonMs: 0 }
  const { claims } = await store.claim(request)
  assert.equal(claims.length, 50)
  const positions = async (standings: ('queued' | 'calling' | 'busy')[] | null, offset: number) => {
    const filter = standings === null ? {} : { standings }
    const page = await store.listRecipients(workspaceId, batchId, filter, { offset, limit: 3 })
    return page.map(({ position }) => position)
  }
  assert.deepEqual(await positions(null, 11_000), [11_001, 11_002, 11_003])
  assert.deepEqual(await positions(['queued', 'calling'], 11_000), [11_001, 11_002, 11_003])
  const called = new Set(claims.map(({ recipientId }) => recipientId))
  const all = await store.listRecipients(workspaceId, batchId, {}, { limit: people })
  const queued = all.filter(({ id }) => !called.has(id)).map(({ position }) => position)
  for (const offset of [0, 4_999, 5_000, 5_001, 10_000, people - 51])
    assert.deepEqual(
      await positions(['queued'], offset),
      queued.slice(offset, offset + 3),
      `offset ${offset}`,
    )
  assert.deepEqual(await positions(['queued'], people), [])
  assert.deepEqual(await positions(['busy'], 10_001), [])
  await store.close()
})

test('the event loop turns while a page far down is looked for', async () => {
  const store = await openSqliteStore({ path: ':memory:' })
  const { workspaceId, batchId } = await seedBatch(store, {
    recipients: people,
    trunkSettings: {},
    maxConcurrentCalls: 1,
    retry: noRetries,
    startAs: 'draft',
  })
  let turns = 0
  let isFound = false
  const turn = () => {
    turns++
    if (!isFound) setImmediate(turn)
  }
  setImmediate(turn)
  const filter = { standings: ['queued' as const] }
  await store.listRecipients(workspaceId, batchId, filter, { offset: people - 1, limit: 1 })
  isFound = true
  assert.ok(turns >= 2, `${turns} turns`)
  await store.close()
})
