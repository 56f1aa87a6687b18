// One line and its agent, in virtual time: marks, results, recordings, answering machines and agents that break.
import assert from 'node:assert/strict'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import type { AgentSession } from '../../src/agent/agent.ts'
import { openLine } from '../../src/carrier/rtp/line.ts'
import { pcmToUlaw } from '../../src/media/g711.ts'
import { readWav } from '../../src/media/wav.ts'
import { bestShift, noise, sweep, tone } from '../media/sound.ts'
import { request } from './telephone.ts'
import { twoTelephones } from './two-telephones.ts'

const voice = sweep(8000)

test('a mark is told when its audio has been sent, and the agent knows how much of it that was', async () => {
  const { a, pass, connect, close } = await twoTelephones()
  connect()
  a.leg.play(pcmToUlaw(voice))
  a.leg.mark('said')
  await pass(900)
  assert.deepEqual(a.marks, [])
  await pass(200)
  assert.deepEqual(a.marks, ['said'])
  assert.equal(a.leg.playedMs(), 1000)
  a.leg.play(pcmToUlaw(voice))
  a.leg.mark('dropped')
  a.leg.hangUp('when-played')
  await pass(400)
  a.leg.clear()
  assert.deepEqual(a.marks, ['said', 'dropped'])
  assert.deepEqual(a.events, [{ kind: 'agent-hung-up' }])
  assert.ok(a.leg.playedMs() >= 1380 && a.leg.playedMs() <= 1420)
  await close()
})

test('what the agent leaves behind is in the report, and how soon it spoke', async () => {
  const { a, pass, connect, close } = await twoTelephones()
  connect()
  await pass(300)
  a.leg.play(pcmToUlaw(voice))
  a.leg.setResult('mood', { good: true })
  a.leg.setResult('__proto__', 1)
  a.leg.setResult('self', () => 1)
  a.leg.addTranscript({ role: 'agent', message: 'Hello', at: a.leg.now() })
  a.leg.doNotCallAgain()
  await pass(100)
  const [report] = await close()
  assert.deepEqual(report.results.mood, { good: true })
  assert.equal(Object.getPrototypeOf(report.results), Object.prototype)
  assert.equal(report.transcript[0]?.message, 'Hello')
  assert.ok(report.firstAudioAfterMs! >= 300 && report.firstAudioAfterMs! <= 320)
  assert.deepEqual(a.events, [{ kind: 'do-not-call-again' }])
  assert.equal(a.closed, 1)
})

test('an agent that breaks, or cannot be reached, ends its own call and is told once', async () => {
  const broken = await twoTelephones({}, { a: { hear: () => assert.fail('the agent broke') } })
  broken.connect()
  await broken.pass(200)
  assert.deepEqual(broken.a.events, [{ kind: 'agent-failed', reason: 'the agent broke' }])
  assert.ok(broken.b.frames.length >= 5)
  await broken.close()

  const events: unknown[] = []
  const unreachable = async () => Promise.reject(new Error('connection refused'))
  const line = await openLine(request(), 10_010, { ...broken.deps, connectAgent: unreachable }, event =>
    events.push(event),
  )
  await broken.pass(20)
  assert.deepEqual(events, [{ kind: 'agent-failed', reason: 'connection refused' }])
  await line.close()
  assert.deepEqual(broken.network.openPorts(), [])
})

test('an agent that connects after the call is over is closed at once', async () => {
  const { deps, pass, close } = await twoTelephones()
  let resolve: (session: AgentSession) => void = () => {}
  let closed = 0
  const late = () => new Promise<AgentSession>(done => (resolve = done))
  const line = await openLine(request(), 10_010, { ...deps, connectAgent: late }, () => {})
  await line.close()
  resolve({ answered() {}, hear() {}, keyPressed() {}, markPlayed() {}, close: () => closed++ })
  await pass(20)
  assert.equal(closed, 1)
  await close()
})

test('keys pressed between the answer and the moment the agent is there are not lost', async () => {
  const { deps, pass, close } = await twoTelephones()
  let resolve: (session: AgentSession) => void = () => {}
  const heard: string[] = []
  const late = () => new Promise<AgentSession>(done => (resolve = done))
  const line = await openLine(request(), 10_010, { ...deps, connectAgent: late }, () => {})
  line.hearKey(Uint8Array.of(4, 10, 0, 160), 1_000)
  line.answered()
  for (const key of [1, 2]) line.hearKey(Uint8Array.of(key, 10, 0, 160), 10_000 * key)
  resolve({
    answered: () => void heard.push('answered'),
    hear() {},
    keyPressed: key => void heard.push(key),
    markPlayed() {},
    close() {},
  })
  await pass(20)
  assert.deepEqual(heard, ['answered', '1', '2'])
  await line.close()
  await close()
})

test('an agent that floods its line is cut off', async () => {
  const { a, pass, connect, close } = await twoTelephones()
  connect()
  await pass(20)
  for (let minute = 0; minute < 11; minute++) a.leg.play(new Uint8Array(60 * 8000))
  assert.equal(a.events[0]?.kind, 'agent-failed')
  await close()
})

test('the recording holds them on the left and us on the right, from the answer on', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'outdial-recording-'))
  const recordingPath = join(folder, 'call.wav')
  const { a, b, pass, connect, close } = await twoTelephones({ recordingPath })
  connect()
  a.leg.play(pcmToUlaw(voice))
  b.leg.play(pcmToUlaw(noise(8000, 5)))
  await pass(3000)
  const [report] = await close()
  const file = await readFile(recordingPath)
  await rm(folder, { recursive: true })
  assert.equal(report.recordingBytes, file.length)
  const { samples, channels } = readWav(file)
  assert.equal(channels, 2)
  assert.ok(
    bestShift(
      noise(8000, 5),
      samples.filter((_, at) => at % 2 === 0),
      2000,
    ).likeness > 0.99,
  )
  assert.ok(
    bestShift(
      voice,
      samples.filter((_, at) => at % 2 === 1),
      2000,
    ).likeness > 0.99,
  )
})

test('a recording that cannot be written costs the recording, not the call', async () => {
  const { a, b, pass, connect, close } = await twoTelephones({ recordingPath: '/nowhere/at/all.wav' })
  connect()
  a.leg.play(pcmToUlaw(voice))
  await pass(1500)
  assert.ok(bestShift(voice, b.heard(), 2000).likeness > 0.99)
  const [report] = await close()
  assert.equal(report.recordingBytes, null)
})

test('the message is spoken again from its beginning after the beep, and the call ends when it has been said', async () => {
  const { a, b, pass, connect, close } = await twoTelephones({ machine: 'leave-message' })
  connect()
  a.leg.play(pcmToUlaw(voice))
  // A greeting longer than any person's, then a beep.
  const greeting = noise(48_000, 8, 12_000)
  b.leg.play(pcmToUlaw(greeting))
  await pass(6500)
  assert.deepEqual(
    a.events.map(event => (event.kind === 'machine-detected' ? event.verdict : event.kind)),
    ['machine'],
  )
  const heardBefore = b.heard().length
  b.leg.play(pcmToUlaw(tone(1000, 4000)))
  await pass(4000)
  assert.ok(bestShift(voice, b.heard().subarray(heardBefore), 12_000).likeness > 0.99)
  await pass(2000)
  assert.equal(a.events.at(-1)?.kind, 'voicemail-done')
  const [report] = await close()
  assert.equal(report.voicemail, true)
})
