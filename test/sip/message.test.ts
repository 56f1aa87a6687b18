// Messages in and out: what is read leniently, what is refused, what is written (RFC 3261 §7, RFC 4475).
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { HeaderList, splitList } from '../../src/carrier/sip/header-list.ts'
import { request, sdpOf, tagOf, writeMessage } from '../../src/carrier/sip/message.ts'
import { maxHeaderLines, parseMessage } from '../../src/carrier/sip/parse-message.ts'

const head = [
  'Via: SIP/2.0/UDP 192.0.2.1;branch=z9hG4bKa',
  'From: <sip:a@x>;tag=1',
  'To: <sip:b@y>',
  'Call-ID: c',
]

function text(lines: string[], body = ''): Buffer {
  return Buffer.from(`${lines.join('\r\n')}\r\n\r\n${body}`)
}

function read(lines: string[], body = '') {
  const parsed = parseMessage(text(lines, body))
  assert.ok('message' in parsed, JSON.stringify(parsed))
  return parsed.message
}

function refused(lines: string[], body = ''): string {
  const parsed = parseMessage(text(lines, body))
  assert.ok('malformed' in parsed, 'it was read')
  return parsed.malformed
}

const invite = ['INVITE sip:b@y SIP/2.0', ...head, 'CSeq: 1 INVITE']

test('what is written is read again as the same message', () => {
  const headers = new HeaderList().add('via', 'SIP/2.0/UDP x;branch=z9hG4bK1').add('from', '<sip:a@x>;tag=1')
  headers.add('to', '<sip:b@y>').add('call-id', 'c').add('cseq', '7 INFO').add('x-own', 'Ä, b')
  const message = request('INFO', 'sip:b@y', headers, 'Grüße')
  const parsed = parseMessage(Buffer.from(writeMessage(message)))
  assert.ok('message' in parsed)
  assert.equal(parsed.message.body, 'Grüße')
  assert.equal(parsed.message.headers.get('x-own'), 'Ä, b')
  assert.equal(parsed.message.headers.get('content-length'), '7')
})

test('a line break in a value cannot make a header of its own', () => {
  const headers = new HeaderList().add('subject', 'a\r\nRoute: <sip:evil.example>')
  assert.equal(writeMessage(request('INFO', 'sip:b@y', headers)).match(/^Route/m), null)
})

test('compact forms and any spelling stand for the long names', () => {
  const message = read([
    'OPTIONS sip:b@y SIP/2.0',
    'v: SIP/2.0/UDP 192.0.2.1;branch=z9hG4bKa',
    'F: <sip:a@x>;tag=1',
    't : <sip:b@y>',
    'CALL-ID:\tc',
    'cSEQ: 1 OPTIONS',
    'm: <sip:a@192.0.2.1>',
    'k: timer',
    'x: 90',
    'L: 0',
  ])
  for (const name of ['via', 'from', 'to', 'call-id', 'contact', 'supported', 'session-expires'])
    assert.ok(message.headers.has(name), name)
})

test('a folded header is one header', () => {
  const message = read([...invite, 'Subject: first', '\tsecond', '  third', 'Content-Length: 0'])
  assert.equal(message.headers.get('subject'), 'first second third')
})

test('lists are taken apart at commas that are neither quoted nor in brackets', () => {
  assert.deepEqual(splitList('<sip:a,b@x>;q=1, "Smith, \\"J\\"" <sip:c@y> ,,<sip:d@z>'), [
    '<sip:a,b@x>;q=1',
    '"Smith, \\"J\\"" <sip:c@y>',
    '<sip:d@z>',
  ])
  const message = read([...invite, 'Route: <sip:1;lr>, <sip:2;lr>', 'Route: <sip:3;lr>'])
  assert.deepEqual(message.headers.list('route'), ['<sip:1;lr>', '<sip:2;lr>', '<sip:3;lr>'])
})

test('bare line feeds and empty lines before the message are put up with', () => {
  const parsed = parseMessage(Buffer.from(`\r\n\n${[...invite].join('\n')}\n\nbody`))
  assert.ok('message' in parsed && parsed.message.body === 'body')
})

test('a datagram ends where its Content-Length says, what follows is not looked at', () => {
  assert.equal(read([...invite, 'Content-Length: 3'], 'v=0 and noise').body, 'v=0')
  assert.equal(read(invite, 'to the end').body, 'to the end')
})

test('a response keeps its status and its phrase, whatever is in it', () => {
  const phrase = 'Größe = 2**8: "quoted", тест'
  const message = read([`SIP/2.0 486 ${phrase}`, ...head, 'CSeq: 1 INVITE'])
  assert.deepEqual(message.kind === 'response' && [message.status, message.phrase], [486, phrase])
  assert.equal(read(['SIP/2.0 180', ...head, 'CSeq: 1 INVITE']).kind, 'response')
})

test('what is no SIP is refused with a reason', () => {
  assert.equal(refused(['INVITE sip:b@y SIP/7.0', ...head, 'CSeq: 1 INVITE']), 'no SIP start line')
  assert.equal(refused(['INVITE  sip:b@y SIP/2.0', ...head, 'CSeq: 1 INVITE']), 'no SIP start line')
  assert.equal(refused(['INVITE <sip:b@y> SIP/2.0', ...head, 'CSeq: 1 INVITE']), 'no SIP start line')
  assert.equal(refused(['SIP/2.0 4294967301 better not', ...head, 'CSeq: 1 INVITE']), 'no SIP start line')
  assert.equal(refused(['SIP/2.0 099 too low', ...head, 'CSeq: 1 INVITE']), 'no SIP start line')
  assert.equal(refused(['GET / HTTP/1.1', 'Host: x']), 'no SIP start line')
})

test('a message without what every message has is refused', () => {
  for (const name of ['Via', 'From', 'To', 'Call-ID', 'CSeq'])
    assert.equal(refused(invite.filter(line => !line.startsWith(name))), `no ${name.toLowerCase()}`)
})

test('numbers beyond their limits are refused', () => {
  const withCSeq = (cseq: string) => ['INVITE sip:b@y SIP/2.0', ...head, `CSeq: ${cseq}`]
  assert.equal(refused(withCSeq('36893488147419103232 INVITE')), 'bad cseq')
  assert.equal(refused(withCSeq('2147483648 INVITE')), 'bad cseq')
  assert.equal(refused(withCSeq('-1 INVITE')), 'bad cseq')
  assert.equal(refused(withCSeq('1 OPTIONS')), 'cseq of another method')
  assert.equal(refused([...invite, 'Content-Length: -999']), 'bad content-length')
  assert.equal(refused([...invite, 'Content-Length: 10000000000']), 'bad content-length')
  assert.equal(refused([...invite, 'Content-Length: 9999'], 'short'), 'body shorter than its content-length')
})

test('what may stand once and stands twice is refused', () => {
  for (const line of ['CSeq: 2 INVITE', 'Call-ID: other', 'To: <sip:q@z>', 'From: <sip:q@z>;tag=2'])
    assert.match(refused([...invite, line]), / twice$/)
  assert.match(refused([...invite, 'Content-Length: 0', 'l: 5']), /content-length twice/)
})

test('a message of endless headers is refused, however small each is', () => {
  assert.equal(refused([...invite, ...Array(maxHeaderLines).fill('X: y')]), 'too many headers')
  assert.equal(refused([...invite, `X: ${'y'.repeat(40_000)}`]), 'headers too long')
  assert.deepEqual(parseMessage(Buffer.alloc(70_000, 'a')), { malformed: 'too long' })
})

test('a tag is found outside brackets and quotes only', () => {
  assert.equal(tagOf('"a;tag=no" <sip:x;tag=no@y>;x=1;tag=yes'), 'yes')
  assert.equal(tagOf('sip:x@y;tag=bare'), 'bare')
  assert.equal(tagOf('<sip:x@y>'), null)
})

test('SDP is found alone or beside ISUP in one body', () => {
  const sdp = 'v=0\r\no=- 1 1 IN IP4 192.0.2.1\r\ns=-\r\n'
  assert.equal(sdpOf(read([...invite, 'Content-Type: application/SDP; charset=x'], sdp)), sdp)
  assert.equal(sdpOf(read([...invite, 'Content-Type: application/isup'], sdp)), '')
  const both = `--b\r\nContent-Type: application/sdp\r\n\r\n${sdp}--b\r\nContent-Type: application/isup\r\n\r\nxyz\r\n--b--`
  assert.equal(sdpOf(read([...invite, 'Content-Type: multipart/mixed;boundary=b'], both)).trim(), sdp.trim())
})
