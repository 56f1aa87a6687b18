// RTP, RTCP and SRTP on the wire: what is written is read, what is hostile is refused.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { maxDatagramBytes, parseRtp, writeRtp } from '../../src/carrier/rtp/packet.ts'
import { createReception } from '../../src/carrier/rtp/reception.ts'
import { readRtcp, writeSenderReport } from '../../src/carrier/rtp/rtcp.ts'
import {
  createSrtpKey,
  createSrtpReceiver,
  createSrtpSender,
  deriveKeys,
} from '../../src/carrier/rtp/srtp.ts'

const header = { payloadType: 0, marker: false, sequence: 1, timestamp: 160, ssrc: 42 }
const packetOf = (
  changes: Partial<typeof header> = {},
  payload: Uint8Array = new Uint8Array(160).fill(7),
) => {
  const into = Buffer.alloc(12 + payload.length)
  writeRtp(into, { ...header, ...changes }, payload)
  return into
}

test('a packet that was written is read again', () => {
  const word = fc.nat(2 ** 32 - 1)
  fc.assert(
    fc.property(
      fc.nat(127),
      fc.boolean(),
      fc.nat(65_535),
      word,
      word,
      fc.uint8Array({ maxLength: 800 }),
      (...values) => {
        const [payloadType, marker, sequence, timestamp, ssrc, payload] = values
        const written = { payloadType, marker, sequence, timestamp, ssrc }
        const { payload: read, ...rest } = parseRtp(packetOf(written, payload))!
        assert.deepEqual(rest, written)
        assert.deepEqual(new Uint8Array(read), payload)
      },
    ),
  )
})

test('contributing sources, an extension and padding are stepped over', () => {
  const parts = [packetOf({}, new Uint8Array(0)), Buffer.alloc(8), Buffer.from('bede000100112233', 'hex')]
  const packet = Buffer.concat([...parts, Buffer.from('hi'), Buffer.from([0, 0, 3])])
  packet[0] = 0x80 | 0x20 | 0x10 | 2
  assert.equal(Buffer.from(parseRtp(packet)!.payload).toString(), 'hi')
})

test('no bytes whatever make the parsers do anything but answer or refuse', () => {
  const receiver = createSrtpReceiver(createSrtpKey())
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 120 }), fc.constantFrom(0x80, 0x90, 0xbf), (bytes, first) => {
      const datagram = Buffer.from(bytes)
      if (datagram.length > 0) datagram[0] = first
      const packet = parseRtp(datagram)
      assert.ok(packet === null || packet.payload.length <= datagram.length)
      if (datagram.length > 1) datagram[1] = 200
      readRtcp(datagram)
      assert.equal(receiver.unprotect(datagram), null)
      assert.equal(receiver.unprotectRtcp(datagram), null)
    }),
    { numRuns: 2000 },
  )
  assert.equal(parseRtp(Buffer.alloc(maxDatagramBytes + 1, 0x80)), null)
})

test('a sender report is read as what it says', () => {
  const at = Date.UTC(2026, 0, 2, 3, 4, 5, 500)
  const reception = {
    ssrc: 7,
    fractionLost: 12,
    lost: 3,
    highestSequence: 70_000,
    jitter: 80,
    lastReport: 5,
    sinceLastReport: 65_536,
  }
  const report = { ssrc: 42, at, timestamp: 1, packetsSent: 2, bytesSent: 320, name: 'abcdef' }
  for (const about of [reception, null]) {
    const packet = writeSenderReport({ ...report, reception: about })
    assert.equal(packet.length % 4, 0)
    const seconds = (at - 500) / 1000 + 2_208_988_800
    assert.deepEqual(readRtcp(packet), {
      sentAt: (((seconds & 0xffff) << 16) | 0x8000) >>> 0,
      saidBye: false,
    })
  }
})

test('loss and jitter are counted over wraps, repeats and disorder', () => {
  const reception = createReception()
  for (const [at, sequence] of [65_534, 65_535, 1, 0, 1, 4].entries()) {
    reception.add(sequence & 0xffff, at * 160, at * 20)
  }
  const { received, lost, highestSequence, jitterMs } = reception.figures()
  assert.deepEqual([received, lost, highestSequence, jitterMs], [6, 1, 65_540, 0])
  assert.equal(reception.takeFractionLost(), Math.floor(256 / 7))
  reception.restart()
  reception.add(9, 0, 0)
  assert.equal(reception.figures().received, 7)
})

test('session keys are those of RFC 3711, appendix B.3', () => {
  const master = Buffer.from('E1F97A0D3E018BE0D64FA32C06DE41390EC675AD498AFEEBB6960B3AABE6', 'hex')
  const { cipherKey, salt, authKey } = deriveKeys(master.toString('base64'), [0, 1, 2])
  assert.equal(cipherKey.toString('hex'), 'c61e7a93744f39ee10734afe3ff7a087')
  assert.equal(salt.toString('hex'), '30cbbc08863d8c85d49db34a9ae1')
  assert.equal(authKey.toString('hex'), 'cebe321f6ff7716b6fd4ab49af256a156d38baa4')
})

test('what was protected is read over wraps of the sequence, in any order within the window, once', () => {
  const key = createSrtpKey()
  const sender = createSrtpSender(key)
  const receiver = createSrtpReceiver(key)
  const sealed: Buffer[] = []
  for (let index = 65_000; index < 2 * 65_536 + 300; index += 7) {
    sealed.push(sender.protect(packetOf({ sequence: index & 0xffff })))
  }
  for (let at = 0; at + 1 < sealed.length; at += 2) {
    for (const packet of [sealed[at + 1]!, sealed[at]!]) {
      assert.deepEqual(
        new Uint8Array(parseRtp(receiver.unprotect(packet)!)!.payload),
        new Uint8Array(160).fill(7),
      )
      assert.equal(receiver.unprotect(packet), null)
    }
  }
  assert.equal(receiver.unprotect(sealed[0]!), null)
})

test('a packet with one bit changed, or under another key, is refused and harms nothing', () => {
  const key = createSrtpKey()
  const sender = createSrtpSender(key)
  const receiver = createSrtpReceiver(key)
  const good = sender.protect(packetOf())
  assert.equal(createSrtpReceiver(createSrtpKey()).unprotect(good), null)
  fc.assert(
    fc.property(fc.nat(good.length * 8 - 1), bit => {
      const forged = Buffer.from(good)
      forged[bit >> 3]! ^= 1 << (bit & 7)
      assert.equal(receiver.unprotect(forged), null)
    }),
  )
  assert.notEqual(receiver.unprotect(good), null)
  assert.throws(() => createSrtpReceiver('c2hvcnQ='), /30 bytes/)
})

test('reports are protected, and read once', () => {
  const key = createSrtpKey()
  const sender = createSrtpSender(key)
  const receiver = createSrtpReceiver(key)
  const report = writeSenderReport({
    ssrc: 42,
    at: 0,
    timestamp: 1,
    packetsSent: 2,
    bytesSent: 320,
    name: 'abcdef',
    reception: null,
  })
  for (let count = 0; count < 3; count++) {
    const sealed = sender.protectRtcp(report)
    assert.deepEqual(receiver.unprotectRtcp(sealed), report)
    assert.equal(receiver.unprotectRtcp(sealed), null)
  }
})
