// Messages of the kinds that RFC 4475 collects, in our own words: valid ones that look wrong, wrong ones that look valid.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { cseqOf, tagOf } from '../../src/carrier/sip/message.ts'
import { parseNameAddr } from '../../src/carrier/sip/name-addr.ts'
import { parseMessage } from '../../src/carrier/sip/parse-message.ts'
import { parseSipUri } from '../../src/carrier/sip/sip-uri.ts'
import { branchOf, parseVia } from '../../src/carrier/sip/via.ts'
import { gatewayHop, openWire } from './wire.ts'

function read(text: string) {
  const parsed = parseMessage(Buffer.from(text.replaceAll('\n', '\r\n')))
  assert.ok('message' in parsed, JSON.stringify(parsed))
  return parsed.message
}

test('§3.1.1.1: odd white space, folding, compact forms and repeated headers in one message', () => {
  const message = read(`INVITE sip:desk@lake.example;colour SIP/2.0
TO :
 sip:desk@lake.example ;   tag    = to-1
from   : "A Caller \\\\\\""       <sip:caller@hill.example>
  ;
  tag = from-1
MaX-fOrWaRdS: 0070
Call-ID: spaced
cseq: 0009
  INVITE
Via  : SIP  /   2.0
 /UDP
    192.0.2.2;rport;branch=first
v:  SIP  / 2.0  / TCP     proxy.hill.example   ;
  branch  =   z9hG4bKsecond  ,
 SIP  /    2.0   / UDP  192.168.9.9   ; branch=
 z9hG4bKthird
SomethingNew:   a value
 that goes on
m:"Said \\"\\"" <sip:caller@hill.example> ; colour =
      blue ;
  shade ; q = 0.33

`)
  assert.deepEqual(cseqOf(message), { number: 9, method: 'INVITE' })
  assert.equal(tagOf(message.headers.get('to') ?? ''), 'to-1')
  assert.equal(tagOf(message.headers.get('from') ?? ''), 'from-1')
  assert.deepEqual(
    message.headers
      .list('via')
      .map(parseVia)
      .map(via => [via?.transport, via?.host, via?.branch]),
    [
      ['UDP', '192.0.2.2', 'first'],
      ['TCP', 'proxy.hill.example', 'z9hG4bKsecond'],
      ['UDP', '192.168.9.9', 'z9hG4bKthird'],
    ],
  )
  const contact = parseNameAddr(message.headers.get('contact') ?? '')
  assert.deepEqual([contact?.display, contact?.params.get('q')], ['Said ""', '0.33'])
})

test('§3.1.1.2, .4, .8: any token may be a method, and escapes stay as they are', () => {
  const message = read(`~Odd.Method!0*_+\`%and'more sip:9_a.(b)&c+d=1,e!*f$g~h@host.example SIP/2.0
Via: SIP/2.0/TCP one.example;branch=z9hG4bK-.!%2a*_+\`'~
To: "BELL \\\x07 DEL \\\x7F" <sip:desk@host.example>
From: words~\` of' tokens%!. <sip:plain@host.example>;a''~+*_!.-%="числа";tag=_t~1'+\`*%!-.
Call-ID: any%Word-!.*_+'@\`~)(><:\\/"][?}{
CSeq: 139122385 ~Odd.Method!0*_+\`%and'more
Max-Forwards: 255
x-!.%*+_\`'~: some text

`)
  assert.equal(message.kind === 'request' && message.method.startsWith('~Odd'), true)
  assert.equal(tagOf(message.headers.get('from') ?? ''), "_t~1'+`*%!-.")
  assert.equal(branchOf(message.headers.get('via') ?? ''), "z9hG4bK-.!%2a*_+`'~")
})

test('§3.1.1.5: a NUL that is escaped in a URI is no end of anything', () => {
  const uri = parseSipUri('sip:null-%00-null@example.com')
  assert.equal(uri?.user, 'null-%00-null')
})

test('§3.1.1.6: a parameter within brackets is of the URI, one behind them of the header', () => {
  const inside = parseNameAddr('<sip:user@example.com;route=in>;tag=out')
  assert.deepEqual(
    [inside?.uri, [...(inside?.params ?? [])]],
    ['sip:user@example.com;route=in', [['tag', 'out']]],
  )
  const bare = parseNameAddr('sip:user@example.com;tag=out')
  assert.deepEqual([bare?.uri, bare?.params.get('tag')], ['sip:user@example.com', 'out'])
})

test('§3.1.1.7: long values are values like others', () => {
  const longTag = 'q'.repeat(5_000)
  const message = read(`INVITE sip:user@example.com SIP/2.0
Via: SIP/2.0/TCP sip33.example.com;branch=z9hG4bK${'b'.repeat(500)}
From: "${'I have a long name '.repeat(60)}" <sip:x@example.com>;tag=${longTag}
To: <sip:user@example.com>
Call-ID: ${'longreq.'.repeat(100)}
CSeq: 3882340 INVITE
Unknown-${'Long'.repeat(20)}-Name: unknown-${'long'.repeat(100)}

`)
  assert.equal(tagOf(message.headers.get('from') ?? ''), longTag)
})

test('§3.1.1.12, .13: phrases without text or in other letters', () => {
  const rest = `Via: SIP/2.0/UDP 192.0.2.198;branch=z9hG4bK1324923
From: <sip:a@x>;tag=1
To: <sip:b@y>;tag=2
Call-ID: c
CSeq: 35 INVITE

`
  const kinds = [`SIP/2.0 100 \n${rest}`, `SIP/2.0 200 = 2**3 * 5**2 но сто девяносто девять\n${rest}`]
  assert.deepEqual(
    kinds.map(read).map(message => message.kind === 'response' && message.status),
    [100, 200],
  )
})

test('§3.1.2: messages that lie about themselves are dropped, and the user agent answers nothing', async () => {
  const wire = await openWire()
  const good = `INVITE sip:b@y SIP/2.0
Via: SIP/2.0/UDP 192.0.2.1;branch=z9hG4bKx
From: <sip:a@x>;tag=1
To: <sip:b@y>
Call-ID: c
CSeq: 8 INVITE
Content-Length: 0

`
  const liars: [what: string, text: string][] = [
    ['a separator too many in the start line', good.replace('sip:b@y', ' sip:b@y')],
    ['a white space in the Request-URI', good.replace('sip:b@y S', 'sip:b@y; lr S')],
    ['a Request-URI in brackets', good.replace('INVITE sip:b@y', 'INVITE <sip:b@y>')],
    ['an unknown version', good.replace('SIP/2.0\nVia', 'SIP/3.0\nVia')],
    ['a negative length', good.replace('Length: 0', 'Length: -5')],
    ['a length that is longer than the body', good.replace('Length: 0', 'Length: 9999')],
    ['a sequence number out of range', good.replace('CSeq: 8', 'CSeq: 9999999999')],
    ['a sequence number of another method', good.replace('8 INVITE', '8 NEWMETHOD')],
    ['two of what may stand once', good.replace('CSeq: 8', 'Call-ID: d\nCSeq: 8')],
    ['no Call-ID', good.replace('Call-ID: c\n', '')],
    ['a status beyond all classes', `SIP/2.0 4294967301 OK\n${good.split('\n').slice(1).join('\n')}`],
  ]
  for (const [what, text] of liars) {
    await wire.receive(text.replaceAll('\n', '\r\n'), gatewayHop)
    assert.deepEqual(wire.drain(), [], what)
  }
  await wire.receive(good.replaceAll('\n', '\r\n'))
  assert.deepEqual(wire.drain(), ['403'])
})

test('§3.3.1: a message with headers missing is dropped; §3.3.8, .9: two lengths are one too many', () => {
  const parsed = parseMessage(
    Buffer.from('INVITE sip:b@y SIP/2.0\r\nCSeq: 193942 INVITE\r\nVia: SIP/2.0/UDP 192.0.2.95\r\n\r\n'),
  )
  assert.deepEqual(parsed, { malformed: 'no from' })
})

test('§3.3.15: an INVITE of RFC 2543, without branch and tag, is still refused politely', async () => {
  const wire = await openWire()
  await wire.receive(
    'INVITE sip:UserB@example.com SIP/2.0\r\nVia: SIP/2.0/UDP iftgw.example.com\r\nFrom: <sip:+13035551111@ift.client.example;user=phone>\r\nTo: sip:+16505552222@ss1.example;user=phone\r\nCall-ID: inv2543\r\nCSeq: 56 INVITE\r\n\r\nv=0\r\n',
  )
  const { to } = await wire.takeResponse(403)
  assert.equal(to.port, 5060)
})
