// What a store promises about what calls leave behind: kept with their end, shown to their workspace, gone with the batch.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { CallTrace } from '../../src/domain/call-trace.ts'
import type { Conversation } from '../../src/domain/conversation.ts'
import { type Engine, setUp, start } from './workbench.ts'

const page = { limit: 1_000 }
const conversation: Conversation = {
  transcript: [{ role: 'agent', message: 'Hello.', at: start }],
  results: { wantsCall: true },
  recordingFile: 'call-1.wav',
  recordingBytes: 16_044,
  line: { packetsSent: 50, packetsReceived: 49, packetsLost: 1, jitterMs: 0.5, firstAudioAfterMs: 20 },
}

export function conversationPromises(engine: Engine): void {
  test('what a call left behind is kept with its end', async t => {
    const { store, workspace, ...bench } = await setUp(t, engine)
    await bench.import(2)
    const [talked, silent] = await bench.call()
    await bench.end([talked!], { answeredAt: start, conversation })
    await bench.end([silent!])
    const found = await store.findAttempt(workspace.id, talked!.attemptId)
    assert.deepEqual([found?.conversation, found?.status], [conversation, 'ended'])
    assert.equal((await store.findAttempt(workspace.id, silent!.attemptId))?.conversation, null)
    const listed = await store.listAttempts(workspace.id, {}, page)
    assert.deepEqual(
      listed.map(({ results, recordingBytes }) => [results, recordingBytes]),
      [
        [{ wantsCall: true }, 16_044],
        [null, null],
      ],
    )
  })

  test('a call under way is found, one of another workspace and a claim are not', async t => {
    const { store, workspace, ...bench } = await setUp(t, engine)
    await bench.import(2)
    const { claims } = await bench.claim()
    await bench.place([claims[0]!])
    const [placed, claimed] = claims.map(({ attemptId }) => attemptId)
    assert.equal((await store.findAttempt(workspace.id, placed!))?.status, 'dialing')
    assert.equal(await store.findAttempt(workspace.id, claimed!), null)
    const other = await store.createWorkspace('other', start)
    assert.equal(await store.findAttempt(other.id, placed!), null)
    assert.equal(await store.findAttempt(workspace.id, 999_999), null)
  })

  test('recordings are listed by batch until it is deleted', async t => {
    const { store, workspace, ...bench } = await setUp(t, engine)
    const { id } = await bench.import(1)
    const [call] = await bench.call()
    await bench.end([call!], { answeredAt: start, conversation })
    assert.deepEqual(await store.listRecordings(workspace.id, id), ['call-1.wav'])
    const other = await store.createWorkspace('other', start)
    assert.deepEqual(await store.listRecordings(other.id, id), [])
    await store.deleteBatch(workspace.id, id, start)
    assert.deepEqual(await store.listRecordings(workspace.id, id), [])
    assert.equal(await store.findAttempt(workspace.id, call!.attemptId), null)
  })

  test('the messages of a call are kept whatever its end: answered, busy, put back', async t => {
    const { store, workspace, ...bench } = await setUp(t, engine)
    const { id } = await bench.import(3)
    const [talked, unspent, silent] = await bench.call()
    const traceOf = (text: string): CallTrace => ({
      messages: [{ at: start, direction: 'sent', transport: 'udp', remote: '192.0.2.1:5060', text }],
      leftOut: 0,
    })
    const putBack = { kind: 'put-back', dueAt: start + 1_000, throttled: true } as const
    await bench.end([talked!], { answeredAt: start, trace: traceOf('INVITE 1') })
    await bench.end([unspent!], { next: putBack, trace: traceOf('INVITE 2') })
    await bench.end([silent!])
    const found = (attempt: { attemptId: number }, owner = workspace.id) =>
      store.findTrace(owner, attempt.attemptId)
    assert.deepEqual(await found(talked!), traceOf('INVITE 1'))
    assert.deepEqual(await found(unspent!), traceOf('INVITE 2'))
    assert.equal(await found(silent!), null)
    const other = await store.createWorkspace('other', start)
    assert.equal(await found(talked!, other.id), null)
    await store.cancelBatch(workspace.id, id, start)
    await store.deleteBatch(workspace.id, id, start)
    assert.deepEqual([await found(talked!), await found(unspent!)], [null, null])
  })

  test('whether a batch records and traces, and what it does about machines, goes with its claims', async t => {
    const bench = await setUp(t, engine)
    const { id } = await bench.import(1, { record: true, trace: true, answeringMachine: 'leave-message' })
    const { claims } = await bench.claim()
    const expected = [true, true, 'leave-message']
    const { record, trace, answeringMachine } = await bench.batch(id)
    for (const rules of [claims[0]!, { record, trace, answeringMachine }])
      assert.deepEqual([rules.record, rules.trace, rules.answeringMachine], expected)
  })
}
