// What a store promises about what goes away with time, about keys that were revoked, and about who did what.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Cutoff } from '../../src/store/housekeeping-store.ts'
import type { Store } from '../../src/store/store.ts'
import { assertCounted, type Engine, setUp, start, type Workbench } from './workbench.ts'

const page = { limit: 1_000 }
const line = { packetsSent: 0, packetsReceived: 0, packetsLost: 0, jitterMs: 0, firstAudioAfterMs: null }
const hourMs = 3_600_000

/** Calls everybody who is due, one after the other, an hour apart; every second one is recorded. */
async function talk(bench: Workbench, count: number): Promise<void> {
  const { claims } = await bench.claim()
  await bench.place(claims)
  for (const [index, claim] of claims.slice(0, count).entries()) {
    const conversation = {
      transcript: [{ role: 'agent' as const, message: 'Hello.', at: start }],
      results: {},
      recordingFile: index % 2 === 0 ? `call-${index}.wav` : null,
      recordingBytes: index % 2 === 0 ? 16_044 : null,
      line,
    }
    await bench.end([claim], { conversation, answeredAt: start, endedAt: start + index * hourMs })
  }
}

/** Everything that the walk finds, in steps of two. */
async function walk(store: Store, kind: 'recordings' | 'transcripts', cutoffs: Cutoff[]) {
  const all: { attemptId: number; recordingFile: string | null }[] = []
  let steps = 0
  for (let after: number | null = 0; after !== null; steps++) {
    const { found, next } = await store.listOldConversations(kind, cutoffs, { after, maxRows: 2 })
    all.push(...found)
    after = next
  }
  return { all, steps }
}

export function housekeepingPromises(engine: Engine): void {
  test('conversations older than the cutoff are found in steps, younger ones and other workspaces’ are not', async t => {
    const bench = await setUp(t, engine)
    const { store, workspace } = bench
    await bench.import(8)
    await talk(bench, 8)
    const cutoffs = [{ workspaceId: workspace.id, before: start + 5 * hourMs }]
    const { all, steps } = await walk(store, 'transcripts', cutoffs)
    assert.equal(all.length, 5)
    assert.ok(steps >= 3 && steps <= 5, `${steps} steps`)
    const recorded = await walk(store, 'recordings', cutoffs)
    assert.deepEqual(
      recorded.all.map(({ recordingFile }) => recordingFile),
      ['call-0.wav', 'call-2.wav', 'call-4.wav'],
    )
    const stranger = [{ workspaceId: workspace.id + 1, before: start + 100 * hourMs }]
    assert.deepEqual((await walk(store, 'transcripts', stranger)).all, [])
  })

  test('a forgotten recording leaves its transcript; a removed conversation leaves the call and the counts', async t => {
    const bench = await setUp(t, engine)
    const { store, workspace } = bench
    const { id } = await bench.import(3)
    await talk(bench, 3)
    const [first, second, third] = (await store.listAttempts(workspace.id, {}, page)).map(
      attempt => attempt.id,
    )
    await store.forgetRecordings([first!])
    const kept = (await store.findAttempt(workspace.id, first!))?.conversation
    assert.deepEqual([kept?.recordingFile, kept?.recordingBytes, kept?.transcript.length], [null, null, 1])
    await store.removeConversations([second!])
    assert.equal((await store.findAttempt(workspace.id, second!))?.conversation, null)
    assert.notEqual((await store.findAttempt(workspace.id, third!))?.conversation, null)
    assert.deepEqual(await store.listRecordings(workspace.id, id), ['call-2.wav'])
    assert.deepEqual(
      (await store.listAllRecordings({ after: 0, limit: 10 })).map(({ file }) => file),
      ['call-2.wav'],
    )
    await assertCounted(bench, id)
  })

  test('events go away when they are old enough, and never what somebody still has to be told', async t => {
    const bench = await setUp(t, engine)
    const { store, workspace } = bench
    await bench.import(6)
    await talk(bench, 6)
    const before = await store.listEvents(workspace.id, page)
    const old = before.filter(({ at }) => at < start + 3 * hourMs)
    const needed = old.at(-1)!.id
    const cutoffs = [{ workspaceId: workspace.id, before: start + 3 * hourMs }]
    const removeBelow = async (belowId: number) => {
      let all = 0
      for (let after: number | null = 0; after !== null; ) {
        const { removed, next } = await store.removeEvents(cutoffs, { after, maxRows: 2, belowId })
        all += removed
        after = next
      }
      return all
    }
    assert.equal(await removeBelow(needed), old.length - 1)
    assert.equal(await removeBelow(Number.MAX_SAFE_INTEGER), 1)
    const left = await store.listEvents(workspace.id, page)
    assert.deepEqual(left, before.slice(old.length))
  })

  test('batches are old by their end; one that goes on has none', async t => {
    const bench = await setUp(t, engine)
    const { store, workspace } = bench
    const done = await bench.import(1)
    await bench.end(await bench.call())
    await bench.import(1)
    const dropped = await bench.import(1)
    await store.cancelBatch(workspace.id, dropped.id, start + 1_000)
    const cutoff = (before: number) => ({ workspaceId: workspace.id, before })
    assert.deepEqual(await store.listOldBatches(cutoff(start), 10), [])
    assert.deepEqual(await store.listOldBatches(cutoff(start + 1), 10), [done.id])
    assert.deepEqual(await store.listOldBatches(cutoff(start + 1_001), 10), [done.id, dropped.id])
    assert.deepEqual(await store.listOldBatches(cutoff(start + 1_001), 1), [done.id])
  })

  test('kept answers go away after a day, a bounded number at a time; one under way stays', async t => {
    const { store, workspace } = await setUp(t, engine)
    for (const key of ['one', 'two', 'three']) {
      await store.reserveIdempotencyKey(workspace.id, key, 'same', start)
      const idempotency = { key, answer: () => ({ status: 201, body: {} }) }
      if (key !== 'three') await store.suppress(workspace.id, ['+12025550101'], 'x', start, idempotency)
    }
    assert.equal(await store.removeOldAnswers(start + 23 * hourMs, 10), 0)
    assert.equal(await store.removeOldAnswers(start + 25 * hourMs, 1), 1)
    assert.equal(await store.removeOldAnswers(start + 25 * hourMs, 10), 1)
  })

  test('how long things are kept is the workspace’s own', async t => {
    const { store, workspace } = await setUp(t, engine)
    assert.deepEqual(workspace.retention, {
      recordingDays: 90,
      transcriptDays: 180,
      eventDays: 90,
      batchDays: null,
    })
    const retention = { recordingDays: 7, transcriptDays: null, eventDays: 30, batchDays: 365 }
    await store.updateWorkspace(workspace.id, { retention }, start)
    assert.deepEqual((await store.getWorkspace(workspace.id))?.retention, retention)
  })

  test('a revoked key opens nothing at once, is still listed, and the last one stays', async t => {
    const { store, workspace } = await setUp(t, engine)
    const [one, two] = [new Uint8Array(32).fill(1), new Uint8Array(32).fill(2)]
    const first = await store.createApiKey(workspace.id, 'first', 'od_aaaa', one, start)
    const second = await store.createApiKey(workspace.id, 'second', 'od_bbbb', two, start)
    assert.equal(await store.isRevokedKey(one), false)
    const revoked = await store.revokeApiKey(workspace.id, first.id, start + 1)
    assert.deepEqual(revoked, { ...first, revokedAt: start + 1 })
    assert.equal(await store.findApiKey(one), null)
    assert.equal(await store.isRevokedKey(one), true)
    assert.deepEqual(await store.listApiKeys(workspace.id), [revoked, { ...second, revokedAt: null }])
    assert.deepEqual(await store.revokeApiKey(workspace.id, first.id, start + 2), revoked)
    await assert.rejects(store.revokeApiKey(workspace.id, second.id, start), { code: 'last_api_key' })
    const stranger = await store.createWorkspace('other', start)
    assert.equal(await store.revokeApiKey(stranger.id, second.id, start), null)
    assert.notEqual(await store.findApiKey(two), null)
  })

  test('the audit log shows the newest first, page by page, to its workspace only', async t => {
    const { store, workspace } = await setUp(t, engine)
    const stranger = await store.createWorkspace('other', start)
    const entry = (action: string, workspaceId = workspace.id) => ({
      workspaceId,
      at: start,
      apiKeyId: 1,
      apiKeyPrefix: 'od_aaaa',
      action,
      subject: null,
    })
    for (const action of ['one', 'two', 'three']) await store.writeAudit(entry(action))
    await store.writeAudit(entry('theirs', stranger.id))
    const newest = await store.listAudit(workspace.id, { limit: 2 })
    assert.deepEqual(
      newest.map(({ action }) => action),
      ['three', 'two'],
    )
    const { id, ...rest } = newest[1]!
    assert.deepEqual(rest, entry('two'))
    const older = await store.listAudit(workspace.id, { beforeId: id, limit: 10 })
    assert.deepEqual(
      older.map(({ action }) => action),
      ['one'],
    )
  })
}
