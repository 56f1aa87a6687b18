// One line and the network, in virtual time: audio and keys both ways, latch, hold, delay, loss, floods and silence.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { parseRtp, writeRtp } from '../../src/carrier/rtp/packet.ts'
import { alawToPcm, pcmToUlaw, ulawToPcm } from '../../src/media/g711.ts'
import { seededRandom } from '../../src/runtime/random.ts'
import { bestShift, noise, sweep } from '../media/sound.ts'
import { openTelephone, remoteAt } from './telephone.ts'
import { twoTelephones } from './two-telephones.ts'

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
