// Whatever bytes come: the parsers answer, within their limits, and what they take they can write again.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { parseChallenge } from '../../src/carrier/sip/digest.ts'
import { writeMessage } from '../../src/carrier/sip/message.ts'
import { parseNameAddr } from '../../src/carrier/sip/name-addr.ts'
import { parseMessage } from '../../src/carrier/sip/parse-message.ts'
import { answerOffer, readAnswer, writeOffer } from '../../src/carrier/sip/sdp.ts'
import { parseSipUri } from '../../src/carrier/sip/sip-uri.ts'
import { StreamFraming } from '../../src/carrier/sip/stream-framing.ts'
import { parseVia, withSource } from '../../src/carrier/sip/via.ts'

const seed = Number(process.env.FUZZ_SEED ?? Date.now())
const numRuns = Number(process.env.FUZZ_RUNS ?? 3_000)
console.log(`fuzz seed ${seed} (FUZZ_SEED replays it)`)

const local = {
  address: '198.51.100.7',
  port: 16_000,
  sessionId: '1',
  version: 1,
  codecs: ['PCMU', 'PCMA'],
  srtpKey: null,
  direction: 'sendrecv',
} as const

const good = `INVITE sip:b@y SIP/2.0\r
Via: SIP/2.0/UDP 192.0.2.1;branch=z9hG4bKa\r
From: "A" <sip:a@x>;tag=1\r
To: <sip:b@y>\r
Call-ID: c\r
CSeq: 1 INVITE\r
Contact: <sip:a@192.0.2.1>\r
Content-Length: 4\r
\r
v=0\n`

const offer = writeOffer(local)
const lines = [
  ...good.split('\r\n'),
  ...offer.split('\r\n'),
  'm=audio 1 RTP/AVP',
  'a=crypto:1',
  'c=IN IP4',
  'm=',
]
const separators = ['\r\n', '\n', '\r', '\r\n ', '', ': ', ';', '"', '<', '\0', '\uFFFD']
const shuffled = fc
  .array(fc.tuple(fc.constantFrom(...lines), fc.constantFrom(...separators)), { maxLength: 30 })
  .map(parts => parts.flat().join(''))
const bent = fc
  .tuple(
    fc.constantFrom(good, offer),
    fc.array(fc.tuple(fc.nat(700), fc.string({ maxLength: 6 })), { maxLength: 6 }),
  )
  .map(([text, cuts]) => cuts.reduce((so, [at, put]) => so.slice(0, at) + put + so.slice(at + 3), text))
const anything = fc.oneof(fc.string(), shuffled, bent)
const bytes = fc.oneof(
  fc.uint8Array({ maxLength: 2_000 }).map(array => Buffer.from(array)),
  anything.map(text => Buffer.from(text)),
)

test('the message parser takes or refuses any bytes, and what it takes can be written and read again', () => {
  fc.assert(
    fc.property(bytes, input => {
      const parsed = parseMessage(input)
      if ('malformed' in parsed) return
      const { headers } = parsed.message
      const lengthAt = headers.names.indexOf('content-length')
      if (lengthAt !== -1) {
        headers.names.splice(lengthAt, 1)
        headers.values.splice(lengthAt, 1)
      }
      const again = parseMessage(Buffer.from(writeMessage(parsed.message)))
      assert.ok('message' in again)
      assert.equal(again.message.body, parsed.message.body)
    }),
    { seed, numRuns },
  )
})

test('the readers of headers take or refuse any text', () => {
  fc.assert(
    fc.property(anything, text => {
      parseNameAddr(text)
      parseSipUri(text)
      parseVia(text)
      withSource(text, '192.0.2.1', 5_060)
      parseChallenge(`Digest ${text}`, 'authorization')
    }),
    { seed, numRuns },
  )
})

test('SDP is read or refused whatever it is, and an answer to it can be read by its maker', () => {
  fc.assert(
    fc.property(anything, text => {
      readAnswer(text, local)
      const answer = answerOffer(text, local)
      if (answer === null) return
      assert.ok(answer.remote.port > 0 && answer.remote.port <= 65_535)
      assert.notEqual(readAnswer(answer.sdp, { ...local, codecs: [answer.remote.codec] }), null)
    }),
    { seed, numRuns },
  )
})

test('a stream is cut into the same messages however it is chopped', () => {
  const messages = fc.array(fc.string({ maxLength: 50 }), { minLength: 1, maxLength: 5 })
  const cuts = fc.array(fc.integer({ min: 1, max: 40 }), { minLength: 1, maxLength: 50 })
  fc.assert(
    fc.property(messages, cuts, (bodies, sizes) => {
      const whole = bodies.map(body => `X\r\nContent-Length: ${Buffer.byteLength(body)}\r\n\r\n${body}`)
      const stream = Buffer.from(whole.join('\r\n'))
      const framing = new StreamFraming()
      const found: string[] = []
      for (let at = 0, turn = 0; at < stream.length; turn++) {
        const size = sizes[turn % sizes.length] ?? 1
        const out = framing.push(stream.subarray(at, at + size))
        assert.notEqual(out, null)
        found.push(...(out ?? []).map(message => message.toString('utf8')))
        at += size
      }
      assert.deepEqual(found.map(stripBreaks), whole.map(stripBreaks))
    }),
    { seed, numRuns: 300 },
  )
})

/** Empty lines between messages are keep-alives; a body that begins with one is none of these tests' business. */
function stripBreaks(text: string): string {
  return text.replace(/^[\r\n]+/, '')
}

test('a stream that is no SIP is given up before it fills the memory', () => {
  const framing = new StreamFraming()
  let given = 0
  for (; given < 100; given++) if (framing.push(Buffer.alloc(1_000, 'a')) === null) break
  assert.ok(given < 40)
  assert.equal(new StreamFraming().push(Buffer.from('X\r\nContent-Length: 99999999\r\n\r\n')), null)
  assert.equal(new StreamFraming().push(Buffer.from('X\r\n\r\n')), null)
  fc.assert(
    fc.property(fc.array(bytes, { maxLength: 10 }), chunks => {
      const any = new StreamFraming()
      for (const chunk of chunks) if (any.push(chunk) === null) return
    }),
    { seed, numRuns: 500 },
  )
})
