// One line, in virtual time and over a network in memory: latch, hold, keys, recording, machines, time-outs and broken agents.
import assert from 'node:assert/strict'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import type { AgentSession } from '../../src/agent/agent.ts'
import { openLine } from '../../src/carrier/rtp/line.ts'
import type { OpenLine } from '../../src/carrier/rtp/media.ts'
import { createPacer } from '../../src/carrier/rtp/pacer.ts'
import { parseRtp, writeRtp } from '../../src/carrier/rtp/packet.ts'
import { alawToPcm, pcmToUlaw, ulawToPcm } from '../../src/media/g711.ts'
import { readWav } from '../../src/media/wav.ts'
import { seededRandom } from '../../src/runtime/random.ts'
import { VirtualClock } from '../../src/runtime/virtual-clock.ts'
import { bestShift, noise, sweep, tone } from '../media/sound.ts'
import { createMemoryNetwork } from './memory-network.ts'
import { openTelephone, remoteAt, request } from './telephone.ts'

const startAt = 1_700_000_000_000

/** Two telephones, a at port 10000 and b at 10002, on one pacer. */
async function twoTelephones(
  changes: Partial<OpenLine> = {},
  agents: { a?: Partial<AgentSession>; b?: Partial<AgentSession> } = {},
) {
  const clock = new VirtualClock(startAt)
  const network = createMemoryNetwork(clock)
  const deps = { clock, datagrams: network, pacer: createPacer({ clock }) }
  const a = await openTelephone(deps, 10_000, changes, agents.a)
  const b = await openTelephone(deps, 10_002, { srtp: changes.srtp ?? false }, agents.b)
  const pass = (ms: number) => clock.run({ until: clock.now() + ms })
  const connect = (media: Parameters<typeof remoteAt>[1] = {}) => {
    a.line.connect(remoteAt(10_002, { ...media, srtpKey: b.line.srtpKey }))
    b.line.connect(remoteAt(10_000, { ...media, srtpKey: a.line.srtpKey }))
    a.line.answered()
    b.line.answered()
  }
  const close = async () => [await a.line.close(), await b.line.close()] as const
  return { clock, network, a, b, pass, connect, close, deps }
}

const voice = sweep(8000)
const rtp = (changes: Partial<Parameters<typeof writeRtp>[1]> = {}, payload = new Uint8Array(160)) => {
  const packet = Buffer.alloc(12 + payload.length)
  writeRtp(packet, { payloadType: 0, marker: false, sequence: 1, timestamp: 0, ssrc: 7, ...changes }, payload)
  return packet
}

for (const [what, changes, media] of [
  ['µ-law', {}, {}],
  ['A-law', {}, { codec: 'PCMA' }],
  ['SRTP', { srtp: true }, {}],
] as const) {
  test(`both sides hear what the other says over ${what}`, async () => {
    const { a, b, pass, connect, close, network } = await twoTelephones(changes)
    connect(media)
    await pass(100)
    a.leg.play(pcmToUlaw(voice))
    b.leg.play(pcmToUlaw(noise(8000, 5)))
    await pass(1200)
    assert.ok(bestShift(voice, b.heard(), 2000).likeness > 0.99)
    assert.ok(bestShift(noise(8000, 5), a.heard(), 2000).likeness > 0.99)
    // On the wire it is what was agreed: readable as that law, or not at all.
    const sent = network.sent
      .filter(({ from }) => from === 10_000)
      .map(({ packet }) => parseRtp(packet)!.payload)
    const decode = what === 'A-law' ? alawToPcm : ulawToPcm
    const onWire = bestShift(voice, decode(Buffer.concat(sent)), 2000).likeness
    assert.ok(what === 'SRTP' ? onWire < 0.3 : onWire > 0.99)
    const [report] = await close()
    assert.ok(report.packetsLost === 0 && report.packetsReceived >= 60 && report.packetsSent >= 60)
  })
}

test('a voice needs at most 60 ms through two lines of ours, wherever they stand in their 20 ms, so less through one', async () => {
  for (let others = 0; others < 8; others++) {
    const { a, pass, connect, close, clock, deps, b } = await twoTelephones()
    for (let other = 0; other < others; other++) deps.pacer.add(() => {})
    const c = await openTelephone(deps, 10_004)
    connect()
    // c takes b's place, at another slot of the pacer.
    await b.line.close()
    a.line.connect(remoteAt(10_004))
    c.line.connect(remoteAt(10_000))
    c.line.answered()
    await pass(1000)
    const from = c.frames.length
    const spokenAt = clock.now()
    a.leg.play(pcmToUlaw(voice))
    while (c.frames.slice(from).every(frame => frame.every(byte => byte === 0xff))) await pass(1)
    assert.ok(clock.now() - spokenAt <= 60, `${clock.now() - spokenAt} ms`)
    await c.line.close()
    await close()
    deps.pacer.close()
  }
})

test('keys go both ways, once each, over a network that loses a third of its packets', async () => {
  const { a, b, pass, connect, network, close } = await twoTelephones()
  const random = seededRandom(11)
  network.decide(() => (random() < 0.33 ? [] : [Math.floor(random() * 30)]))
  connect()
  a.leg.pressKeys('0123456789')
  b.leg.pressKeys('*#ABCD')
  await pass(3000)
  assert.equal(b.keys, '0123456789')
  assert.equal(a.keys, '*#ABCD')
  const [report] = await close()
  assert.ok(report.packetsLost > 20)
})

test('a voice is still a voice over a network that loses, delays and doubles packets', async () => {
  const { a, b, pass, connect, network, close } = await twoTelephones()
  const random = seededRandom(3)
  network.decide(() => (random() < 0.03 ? [] : random() < 0.1 ? [1, 40] : [Math.floor(random() * 25)]))
  connect()
  await pass(2000)
  a.leg.play(pcmToUlaw(voice))
  await pass(1500)
  assert.ok(bestShift(voice, b.heard().subarray(14_000), 6000).likeness > 0.75)
  await close()
})

test('the first valid packet latches the line; a stranger, garbage and an unknown payload do not', async () => {
  const { a, pass, network, close } = await twoTelephones()
  a.line.connect(remoteAt(10_002))
  a.line.answered()
  network.inject(Buffer.from('GET / HTTP/1.1'), { port: 666 }, 10_000)
  network.inject(rtp({ payloadType: 33 }), { port: 667 }, 10_000)
  // Behind NAT the audio comes from another port than SDP said: there it is wanted, too.
  network.inject(rtp(), { port: 5555 }, 10_000)
  network.inject(rtp({ ssrc: 9 }), { port: 668 }, 10_000)
  await pass(40)
  assert.deepEqual(
    [...new Set(network.sent.filter(({ from }) => from === 10_000).map(({ to }) => to))],
    [5555],
  )
  const [report] = await close()
  assert.equal(report.packetsReceived, 1)
})

test('a re-INVITE that moves the audio lets the new side in and the old one out', async () => {
  const { a, b, pass, connect, network, deps, close } = await twoTelephones()
  connect()
  await pass(200)
  const c = await openTelephone(deps, 10_004)
  c.line.connect(remoteAt(10_000))
  a.line.connect(remoteAt(10_004))
  // The old side's last packets are still on the way; whoever speaks first is latched, and b is told to stop.
  b.line.connect(remoteAt(10_000, { direction: 'inactive' }))
  c.line.answered()
  c.leg.play(pcmToUlaw(voice))
  await pass(1500)
  assert.ok(bestShift(voice, a.heard(), 6000).likeness > 0.99)
  assert.equal(network.sent.filter(({ from }) => from === 10_000).at(-1)!.to, 10_004)
  await c.line.close()
  await close()
})

test('on hold nothing is sent and what the agent says waits; resumed, it is heard whole', async () => {
  const { a, b, pass, connect, network, close } = await twoTelephones()
  connect()
  await pass(100)
  a.line.connect(remoteAt(10_002, { direction: 'recvonly' }))
  const before = network.sent.length
  a.leg.play(pcmToUlaw(voice))
  await pass(500)
  assert.equal(network.sent.slice(before).filter(({ from }) => from === 10_000).length, 0)
  a.line.connect(remoteAt(10_002))
  await pass(1500)
  assert.ok(bestShift(voice, b.heard(), 8000).likeness > 0.99)
  await close()
})

test('silence from the network ends the call after its time-out, but not on hold', async () => {
  const { a, pass, close } = await twoTelephones({ rtpTimeoutMs: 5000 })
  a.line.connect(remoteAt(10_002))
  await pass(60_000)
  assert.deepEqual(a.events, [])
  a.line.answered()
  a.line.connect(remoteAt(10_002, { direction: 'sendonly' }))
  await pass(60_000)
  assert.deepEqual(a.events, [])
  a.line.connect(remoteAt(10_002))
  await pass(4900)
  assert.deepEqual(a.events, [])
  await pass(200)
  assert.deepEqual(a.events, [{ kind: 'rtp-timeout' }])
  await close()
})

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

test('a flood from the other side costs fifty packets a tick', async () => {
  const { a, pass, connect, network, close } = await twoTelephones()
  connect()
  await pass(100)
  for (let sequence = 0; sequence < 5000; sequence++)
    network.inject(rtp({ sequence }), { port: 10_002 }, 10_000)
  const [report] = await close()
  assert.ok(report.packetsReceived < 60)
  assert.equal(a.events.length, 0)
})
