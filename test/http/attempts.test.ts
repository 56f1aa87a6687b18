// Our own API: single calls, and what they left behind.
import assert from 'node:assert/strict'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { classify } from '../../src/domain/outcome.ts'
import { addCaller, type RunningServer, runServer } from './running-server.ts'

const sound = Buffer.from('RIFF and so on')

/** One answered call with a recording, of a batch of one. */
async function recordedCall(t: TestContext): Promise<{ server: RunningServer; path: string; dir: string }> {
  const dir = await mkdtemp(join(tmpdir(), 'outdial-recordings-'))
  t.after(() => rm(dir, { recursive: true, force: true }))
  const server = await runServer(t, { recordingsDir: dir })
  await addCaller(server)
  const recipients = [{ phone: '+12025550190' }]
  await server.send('POST', '/api/v1/batches', { payload: { agentId: '456', recipients, record: true } })
  const { store } = server
  const now = Date.now()
  const claim = { now, nodeId: 'node', leaseMs: 60_000, maxClaims: 1, horizonMs: 0 }
  const attemptId = (await store.claim(claim)).claims[0]!.attemptId
  await store.placeCalls([{ attemptId, callId: 'call' }], 'node', now)
  const evidence = { phrase: null, q850: null, endedBy: null, voicemail: false, agentFailed: false }
  const outcome = classify({ ...evidence, sipStatus: 200, answeredAt: now })
  const conversation = {
    transcript: [{ role: 'human' as const, message: 'Yes.', at: 0 }],
    results: { answer: 'yes' },
    recordingFile: 'call.wav',
    recordingBytes: sound.length,
    line: { packetsSent: 1, packetsReceived: 1, packetsLost: 0, jitterMs: 0, firstAudioAfterMs: 20 },
  }
  const ended = { attemptId, outcome, answeredAt: now, endedAt: now, costMillicents: 0, suppress: false }
  const message = { at: now, transport: 'udp', remote: '192.0.2.1:5060' } as const
  const trace = {
    messages: [
      { ...message, direction: 'sent' as const, text: 'INVITE sip:1@x SIP/2.0\r\nCall-ID: call\r\n\r\n' },
      { ...message, at: now + 40, direction: 'received' as const, text: 'SIP/2.0 200 OK\r\n\r\n' },
    ],
    leftOut: 0,
  }
  await store.endAttempts([{ ...ended, next: { kind: 'finish' }, conversation, trace }], now)
  await writeFile(join(dir, 'call.wav'), sound)
  return { server, path: `/api/v1/attempts/${attemptId}`, dir }
}

test('a call is shown with its transcript, its results and its line', async t => {
  const { server, path } = await recordedCall(t)
  const call = (await server.send('GET', path)).json()
  assert.deepEqual(call.transcript, [{ role: 'human', message: 'Yes.', at: '1970-01-01T00:00:00.000Z' }])
  assert.deepEqual([call.results, call.recordingBytes], [{ answer: 'yes' }, sound.length])
  assert.equal(call.line.firstAudioAfterMs, 20)
  const [listed] = (await server.send('GET', '/api/v1/batches/1/attempts')).json().data
  assert.deepEqual([listed.results, listed.outcome.disposition], [{ answer: 'yes' }, 'answered'])
})

test('its recording is a WAV file, for its own workspace alone', async t => {
  const { server, path } = await recordedCall(t)
  const answer = await server.send('GET', `${path}/recording`)
  assert.deepEqual([answer.statusCode, answer.headers['content-type']], [200, 'audio/wav'])
  assert.deepEqual(answer.rawPayload, sound)
  const key = await server.otherKey()
  for (const url of [path, `${path}/recording`])
    assert.equal((await server.send('GET', url, { key })).statusCode, 404)
})

test('its SIP messages are a ladder: direction, time, other side, first line and text', async t => {
  const { server, path } = await recordedCall(t)
  const { messages, leftOut } = (await server.send('GET', `${path}/trace`)).json()
  const { at, ...first } = messages[0]
  assert.deepEqual(first, {
    direction: 'sent',
    transport: 'udp',
    remote: '192.0.2.1:5060',
    afterMs: 0,
    firstLine: 'INVITE sip:1@x SIP/2.0',
    text: 'INVITE sip:1@x SIP/2.0\r\nCall-ID: call\r\n\r\n',
  })
  assert.equal(new Date(at).toISOString(), at)
  assert.deepEqual([messages[1].afterMs, messages[1].firstLine, leftOut], [40, 'SIP/2.0 200 OK', 0])
  const key = await server.otherKey()
  assert.equal((await server.send('GET', `${path}/trace`, { key })).statusCode, 404)
})

test('a call whose SIP messages nobody kept says so, and how to keep them', async t => {
  const server = await runServer(t)
  await addCaller(server)
  await server.send('POST', '/api/v1/batches', {
    payload: { agentId: '456', recipients: [{ phone: '+12025550190' }] },
  })
  const claim = { now: Date.now(), nodeId: 'node', leaseMs: 60_000, maxClaims: 1, horizonMs: 0 }
  const attemptId = (await server.store.claim(claim)).claims[0]!.attemptId
  await server.store.placeCalls([{ attemptId, callId: 'call' }], 'node', Date.now())
  const answer = await server.send('GET', `/api/v1/attempts/${attemptId}/trace`)
  assert.deepEqual([answer.statusCode, answer.json().code], [404, 'trace_not_found'])
  assert.match(answer.json().detail, /when the call has ended: a trunk or a batch with `trace`/)
})

test('what is not there is said in one sentence', async t => {
  const { server, path, dir } = await recordedCall(t)
  for (const url of [
    '/api/v1/attempts/999',
    '/api/v1/attempts/x',
    '/api/v1/attempts/999/recording',
    '/api/v1/attempts/9/trace',
  ])
    assert.equal((await server.send('GET', url)).json().code, 'attempt_not_found')
  await rm(join(dir, 'call.wav'))
  const gone = await server.send('GET', `${path}/recording`)
  assert.deepEqual([gone.statusCode, gone.json().code], [404, 'recording_not_found'])
})
