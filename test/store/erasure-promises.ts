// What a store promises a person who wants to be forgotten: nobody calls them, nothing names them, every count stays.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { CallTrace } from '../../src/domain/call-trace.ts'
import { noRetries } from '../../src/domain/retry.ts'
import type { Store } from '../../src/store/store.ts'
import { assertCounted, type Engine, outcomeOf, person, setUp, start, type Workbench } from './workbench.ts'

const number = '+12025550163'
const other = '+12025550164'
const page = { limit: 1_000 }
const line = { packetsSent: 0, packetsReceived: 0, packetsLost: 0, jitterMs: 0, firstAudioAfterMs: null }
const conversation = (file: string) => ({
  transcript: [{ role: 'human' as const, message: 'I am Ada.', at: start }],
  results: { name: 'Ada' },
  recordingFile: file,
  recordingBytes: 16_044,
  line,
})
/** As a trunk writes it that wants no country code. */
const trace: CallTrace = {
  messages: [
    {
      at: start,
      direction: 'sent',
      transport: 'udp',
      remote: '192.0.2.1:5060',
      text: 'INVITE sip:2025550163@x SIP/2.0',
    },
  ],
  leftOut: 0,
}
const nothing = {
  recipients: 0,
  cancelled: 0,
  attempts: 0,
  conversations: 0,
  recordings: 0,
  traces: 0,
  rejectedRows: 0,
  events: 0,
  answers: 0,
  suppressed: false,
}

/** Erases, and gathers the recordings that were to be removed. */
async function erase({ store, workspace }: Workbench, files: string[] = []) {
  return store.erasePerson(workspace.id, number, start + 60_000, async names => void files.push(...names))
}

/** All that the workspace shows, as one text. */
async function everything(store: Store, workspaceId: number): Promise<string> {
  const { batches } = await store.listBatches(workspaceId, {}, { offset: 0, limit: 100 })
  const shown: unknown[] = [
    await store.listAttempts(workspaceId, {}, page),
    await store.listEvents(workspaceId, page),
    await store.reserveIdempotencyKey(workspaceId, 'call-ada', 'same', start),
  ]
  for (const { id } of batches)
    shown.push(
      await store.listRecipients(workspaceId, id, {}, page),
      await store.listIngestRows(workspaceId, id, {}, page),
    )
  for (const { id } of await store.listAttempts(workspaceId, {}, page))
    shown.push(await store.findAttempt(workspaceId, id), await store.findTrace(workspaceId, id))
  return JSON.stringify(shown)
}

export function erasurePromises(engine: Engine): void {
  test('a person is gone from every batch, call, recording, report, event and kept answer', async t => {
    const bench = await setUp(t, engine)
    const { store, workspace } = bench
    const retrying = { retry: { ...noRetries, maxAttempts: 3 } }
    const twice = await bench.import([person(1, { number }), person(2, { number: other })], retrying)
    for (const file of ['first.wav', 'second.wav']) {
      const now = file === 'first.wav' ? start : start + 1_000
      const calls = await bench.call({ now })
      const [theirs] = calls.filter(call => call.number === number)
      const retry = { kind: 'retry', dueAt: start + 1_000 } as const
      const how = { conversation: conversation(file), answeredAt: now, endedAt: now, next: retry, trace }
      await bench.end([theirs!], how)
      await bench.end(
        calls.filter(call => call !== theirs),
        { conversation: conversation('other.wav'), endedAt: now },
      )
    }
    await bench.import([person(1, { number })], { startAs: 'draft' }, [
      { rowNumber: 2, status: 'duplicate', code: 'duplicate', value: '(202) 555-0163' },
      { rowNumber: 3, status: 'duplicate', code: 'duplicate', value: other },
    ])
    await store.reserveIdempotencyKey(workspace.id, 'call-ada', 'same', start)
    const idempotency = {
      key: 'call-ada',
      answer: (body: unknown) => ({ status: 201, body }),
    }
    await store.suppress(workspace.id, [number], 'asked us', start, idempotency)
    await store.unsuppress(workspace.id, number, start)
    const before = await bench.batch(twice.id)

    const files: string[] = []
    const erased = await erase(bench, files)
    assert.deepEqual(erased, {
      recipients: 2,
      cancelled: 0,
      attempts: 2,
      conversations: 2,
      recordings: 2,
      traces: 2,
      rejectedRows: 1,
      events: 2,
      answers: 1,
      suppressed: false,
    })
    assert.deepEqual(files, ['first.wav', 'second.wav'])
    const text = await everything(store, workspace.id)
    for (const word of ['2025550163', '555-0163', 'first.wav', 'second.wav'])
      assert.ok(!text.includes(word), word)
    assert.ok(text.includes(other) && text.includes('other.wav'), 'nobody else was touched')
    const after = await bench.batch(twice.id)
    assert.deepEqual([after.progress, after.ingest], [before.progress, before.ingest])
    const { batches } = await store.listBatches(workspace.id, {}, { offset: 0, limit: 100 })
    for (const { id } of batches) await assertCounted(bench, id)
  })

  test('whoever waits is never called, and the batch completes without them', async t => {
    const bench = await setUp(t, engine)
    const { id } = await bench.import([person(1, { number }), person(2, { number: other })])
    const { store, workspace } = bench
    assert.deepEqual(await erase(bench), { ...nothing, recipients: 1, cancelled: 1 })
    const calls = await bench.call()
    assert.deepEqual(
      calls.map(call => call.number),
      [other],
    )
    await bench.end(calls)
    assert.equal((await bench.batch(id)).status, 'completed')
    assert.deepEqual(await bench.standings(id), ['cancelled', 'answered'])
    const [first] = await store.listRecipients(workspace.id, id, {}, page)
    assert.deepEqual([first?.variables, first?.number], [{}, `erased-${first?.id}`])
    await assertCounted(bench, id)
  })

  test('a batch of which they were the last completes', async t => {
    const bench = await setUp(t, engine)
    const { id } = await bench.import([person(1, { number })])
    await erase(bench)
    assert.equal((await bench.batch(id)).status, 'completed')
    assert.ok((await bench.events(id)).includes('batch.completed'))
  })

  test('a person who is being called is not erased until the call has ended', async t => {
    const bench = await setUp(t, engine)
    const { id } = await bench.import([person(1, { number })])
    const calls = await bench.call()
    await assert.rejects(erase(bench), { code: 'call_under_way', kind: 'conflict' })
    const [recipient] = await bench.store.listRecipients(bench.workspace.id, id, {}, page)
    assert.equal(recipient?.number, number)
    await bench.end(calls, { outcome: outcomeOf('busy') })
    assert.deepEqual(await erase(bench), { ...nothing, recipients: 1, attempts: 1 })
  })

  test('erased again, nothing more is found; the event names nobody', async t => {
    const bench = await setUp(t, engine)
    await bench.import([person(1, { number })])
    await erase(bench)
    assert.deepEqual(await erase(bench), nothing)
    const events = await bench.store.listEvents(bench.workspace.id, page)
    const told = events.filter(({ type }) => type === 'person.erased')
    assert.equal(told.length, 1)
    assert.ok(!JSON.stringify(events).includes(number))
  })

  test('"do not call" outlives the person: the number stays on the suppression list', async t => {
    const bench = await setUp(t, engine)
    const { store, workspace } = bench
    await bench.import([person(1, { number })])
    await store.suppress(workspace.id, [number], 'asked us', start)
    const { suppressed, recipients } = await erase(bench)
    assert.deepEqual([suppressed, recipients], [true, 1])
    const { ingest } = await bench.import([person(1, { number }), person(2, { number: other })])
    assert.deepEqual([ingest.accepted, ingest.suppressed], [1, 1])
  })

  test('another workspace keeps what it has', async t => {
    const bench = await setUp(t, engine)
    const { id } = await bench.import([person(1, { number })])
    const { store } = bench
    const stranger = await store.createWorkspace('other', start)
    const files = async () => assert.fail('there is nothing to remove')
    await assert.doesNotReject(
      store.erasePerson(stranger.id, number, start, async names => {
        if (names.length > 0) await files()
      }),
    )
    const [recipient] = await store.listRecipients(bench.workspace.id, id, {}, page)
    assert.equal(recipient?.number, number)
  })

  test('of a call that was put back only its trace is left, and that goes too', async t => {
    const bench = await setUp(t, engine)
    const { store, workspace } = bench
    await bench.import([person(1, { number })])
    const [call] = await bench.call()
    const next = { kind: 'put-back', dueAt: start, throttled: true } as const
    await bench.end([call!], { outcome: outcomeOf('carrier-failure'), next, trace })
    assert.deepEqual(await erase(bench), { ...nothing, recipients: 1, cancelled: 1, traces: 1 })
    assert.equal(await store.findTrace(workspace.id, call!.attemptId), null)
  })

  test('an erasure that was cut short is done by asking again', async t => {
    const bench = await setUp(t, engine)
    const { store, workspace } = bench
    await bench.import([person(1, { number })])
    const calls = await bench.call()
    await bench.end(calls, { conversation: conversation('only.wav') })
    const broken = store.erasePerson(workspace.id, number, start, async () => {
      throw new Error('disk gone')
    })
    await assert.rejects(broken, /disk gone/)
    const files: string[] = []
    const { recipients, conversations } = await erase(bench, files)
    assert.deepEqual([recipients, conversations, files], [1, 1, ['only.wav']])
  })
}
