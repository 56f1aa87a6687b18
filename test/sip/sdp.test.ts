// Offers and answers for one audio stream (RFC 3264): codecs, telephone-event, hold, keys, and what is refused.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { answerOffer, type LocalMedia, readAnswer, writeOffer } from '../../src/carrier/sip/sdp.ts'

const local: LocalMedia = {
  address: '198.51.100.7',
  port: 16_000,
  sessionId: '42',
  version: 1,
  codecs: ['PCMU', 'PCMA'],
  srtpKey: null,
  direction: 'sendrecv',
}
const key = 'WVNfX19zZW1jdGwgKCkgewkyMjA7fQp9CnVubGVz'

function theirs(media: string[], above: string[] = ['c=IN IP4 192.0.2.1']): string {
  return ['v=0', 'o=- 1 1 IN IP4 192.0.2.1', 's=-', ...above, 't=0 0', ...media, ''].join('\r\n')
}

test('our offer has PCMU, PCMA and telephone-event at 8,000 Hz, 20 ms a packet', () => {
  assert.equal(
    writeOffer(local),
    `v=0
o=- 42 1 IN IP4 198.51.100.7
s=-
c=IN IP4 198.51.100.7
t=0 0
m=audio 16000 RTP/AVP 0 8 101
a=rtpmap:0 PCMU/8000
a=rtpmap:8 PCMA/8000
a=rtpmap:101 telephone-event/8000
a=fmtp:101 0-16
a=ptime:20
a=sendrecv
`.replaceAll('\n', '\r\n'),
  )
  const secure = writeOffer({ ...local, srtpKey: key })
  assert.match(secure, /m=audio 16000 RTP\/SAVP 0 8 101/)
  assert.match(secure, new RegExp(`a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:${key}`))
})

test('an answer says where, in which codec, and how keys are sent', () => {
  const answer = theirs(['m=audio 4000 RTP/AVP 8 96', 'a=rtpmap:96 telephone-event/8000'])
  assert.deepEqual(readAnswer(answer, local), {
    address: '192.0.2.1',
    port: 4_000,
    codec: 'PCMA',
    payloadType: 8,
    telephoneEventType: 96,
    srtpKey: null,
    direction: 'sendrecv',
  })
})

test('the first codec of theirs that we have counts, under whatever number', () => {
  const answer = theirs(['m=audio 4000 RTP/AVP 18 99 0', 'a=rtpmap:18 G729/8000', 'a=rtpmap:99 pcma/8000/1'])
  const { codec, payloadType } = readAnswer(answer, local) ?? {}
  assert.deepEqual([codec, payloadType], ['PCMA', 99])
})

test('an address of the stream goes before that of the session', () => {
  const answer = theirs(['m=audio 4000 RTP/AVP 0', 'c=IN IP6 2001:db8::9'])
  assert.equal(readAnswer(answer, local)?.address, '2001:db8::9')
})

test('no audio that suits us is no answer', () => {
  for (const wrong of [
    '',
    'no sdp',
    theirs([]),
    theirs(['m=audio 0 RTP/AVP 0']),
    theirs(['m=audio 4000 RTP/AVP 18']),
    theirs(['m=audio 4000 RTP/SAVP 0']),
    theirs(['m=audio 4000 UDP/TLS/RTP/SAVPF 0']),
    theirs(['m=video 4000 RTP/AVP 0']),
    theirs(['m=audio 99999 RTP/AVP 0']),
    theirs(['m=audio 4000 RTP/AVP 0'], ['c=IN IP4 media.example']),
    theirs(['m=audio 4000 RTP/AVP 0'], []),
    theirs(Array(30).fill('m=audio 4000 RTP/AVP 0')),
    theirs(['m=audio 4000 RTP/AVP 0', 'a=rtpmap:0 PCMU/16000']),
  ])
    assert.equal(readAnswer(wrong, local), null, wrong)
})

test('SRTP is agreed only where both sides have keys', () => {
  const secure = theirs([
    'm=audio 4000 RTP/SAVP 0',
    'a=crypto:1 AES_CM_128_HMAC_SHA1_32 inline:short',
    `a=crypto:2 AES_CM_128_HMAC_SHA1_80 inline:${key}|2^20`,
  ])
  assert.equal(readAnswer(secure, { ...local, srtpKey: key })?.srtpKey, key)
  assert.equal(readAnswer(secure, local), null)
  assert.equal(readAnswer(theirs(['m=audio 4000 RTP/AVP 0']), { ...local, srtpKey: key }), null)
  assert.equal(readAnswer(theirs(['m=audio 4000 RTP/SAVP 0']), { ...local, srtpKey: key }), null)
})

test('hold is mirrored: who only sends meets one who only receives', () => {
  for (const [offered, answered] of [
    ['sendonly', 'recvonly'],
    ['recvonly', 'sendonly'],
    ['inactive', 'inactive'],
    ['sendrecv', 'sendrecv'],
  ]) {
    const answer = answerOffer(theirs(['m=audio 4000 RTP/AVP 0', `a=${offered}`]), local)
    assert.match(answer?.sdp ?? '', new RegExp(`a=${answered}\r\n`))
    assert.equal(answer?.remote.direction, answered)
  }
  const above = answerOffer(theirs(['m=audio 4000 RTP/AVP 0'], ['c=IN IP4 192.0.2.1', 'a=sendonly']), local)
  assert.equal(above?.remote.direction, 'recvonly')
  const old = answerOffer(theirs(['m=audio 4000 RTP/AVP 0'], ['c=IN IP4 0.0.0.0']), local)
  assert.equal(old?.remote.direction, 'recvonly')
})

test('an answer takes one codec, keeps their numbers and refuses other streams by port 0', () => {
  const offer = theirs([
    'm=video 5000 RTP/AVP 96',
    'm=audio 4000 RTP/SAVP 97 8 0',
    'a=rtpmap:97 telephone-event/8000',
    `a=crypto:7 AES_CM_128_HMAC_SHA1_80 inline:${key}`,
    'm=image 6000 udptl t38',
  ])
  const { sdp = '', remote } = answerOffer(offer, { ...local, srtpKey: key, version: 2 }) ?? {}
  assert.deepEqual(sdp.match(/^m=.*$/gm), [
    'm=video 0 RTP/AVP 96',
    'm=audio 16000 RTP/SAVP 8 97',
    'm=image 0 udptl 0',
  ])
  assert.match(sdp, /^o=- 42 2 /m)
  assert.match(sdp, /a=crypto:7 /)
  assert.deepEqual([remote?.codec, remote?.telephoneEventType], ['PCMA', 97])
  assert.deepEqual(readAnswer(sdp, { codecs: ['PCMA'], srtpKey: key })?.codec, 'PCMA')
})

test('an offer of which nothing suits us is not answered', () => {
  assert.equal(answerOffer(theirs(['m=audio 4000 RTP/AVP 18']), local), null)
  assert.equal(answerOffer('', local), null)
})
