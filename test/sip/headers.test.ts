// URIs, name-addrs, Via and causes: what stands in headers, read and written.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { HeaderList } from '../../src/carrier/sip/header-list.ts'
import type { SipResponse } from '../../src/carrier/sip/message.ts'
import { nameAddr, parseNameAddr } from '../../src/carrier/sip/name-addr.ts'
import { causeOf, evidenceOf } from '../../src/carrier/sip/reason.ts'
import { parseParams, parseSipUri, sipUri } from '../../src/carrier/sip/sip-uri.ts'
import { parseVia, withSource, writeVia } from '../../src/carrier/sip/via.ts'

test('a SIP URI is taken apart', () => {
  const uri = parseSipUri('SIPS:+1202:secret@Trunk.Example:5071;transport=TCP;lr?Subject=x')
  assert.deepEqual(
    [uri?.scheme, uri?.user, uri?.host, uri?.port, uri?.params.get('transport'), uri?.params.get('lr')],
    ['sips', '+1202', 'trunk.example', 5071, 'TCP', ''],
  )
  assert.deepEqual(parseSipUri('sip:[2001:db8::1]:5060')?.host, '2001:db8::1')
  for (const wrong of ['tel:+1202', 'sip:', 'sip:a@b:99999', 'sip:a@b:0', 'sip:a b@c', 'http://x', ''])
    assert.equal(parseSipUri(wrong), null, wrong)
})

test('a SIP URI is written so that nothing in its user can be mistaken', () => {
  assert.equal(sipUri('+12025550163', 'trunk.example', null), 'sip:+12025550163@trunk.example')
  assert.equal(sipUri('a@b <c>', '2001:db8::1', 5060), 'sip:a%40b%20%3Cc%3E@[2001:db8::1]:5060')
})

test('parameters lose their quotes, and the first of a name counts', () => {
  assert.deepEqual(
    [...parseParams(';a=1; B ;c="x;y \\"z\\"";a=2;;')],
    [
      ['a', '1'],
      ['b', ''],
      ['c', 'x;y "z"'],
    ],
  )
})

test('a display name survives quotes both ways', () => {
  const written = nameAddr('Anna "Ann" O\\Neil', 'sip:a@b')
  assert.deepEqual(parseNameAddr(`${written};tag=t`)?.display, 'Anna "Ann" O\\Neil')
  assert.equal(nameAddr('', 'sip:a@b'), '<sip:a@b>')
  assert.equal(parseNameAddr('not an address'), null)
})

test('Via asks for rport, and where a request came from is written into it', () => {
  assert.equal(
    writeVia('UDP', '2001:db8::1', 5060, 'z9hG4bK1'),
    'SIP/2.0/UDP [2001:db8::1]:5060;rport;branch=z9hG4bK1',
  )
  assert.equal(
    withSource('SIP/2.0/UDP 10.0.0.1:5060;rport;branch=b, SIP/2.0/UDP next', '192.0.2.1', 4_444),
    'SIP/2.0/UDP 10.0.0.1:5060;branch=b;received=192.0.2.1;rport=4444, SIP/2.0/UDP next',
  )
  assert.equal(
    withSource('SIP/2.0/UDP 10.0.0.1;branch=b;received=6.6.6.6', '192.0.2.1', 9),
    'SIP/2.0/UDP 10.0.0.1;branch=b;received=192.0.2.1',
  )
  assert.equal(parseVia('no via'), null)
})

function response(status: number, phrase: string, headers: [string, string][]): SipResponse {
  const list = new HeaderList()
  for (const [name, value] of headers) list.add(name, value)
  return { kind: 'response', status, phrase, headers: list, body: '' }
}

test('a cause is read from Reason, Warning, Retry-After and the carrier’s own header', () => {
  const cause = causeOf(
    response(503, 'Service Unavailable', [
      ['reason', 'Q.850 ;cause=42 ;text="Switching congestion"'],
      ['retry-after', '18 (try "later");duration=3600'],
      ['warning', '301 host "Incompatible", 399 host "CPS limit"'],
    ]),
  )
  assert.deepEqual(cause, {
    q850: 42,
    text: 'Service Unavailable; Switching congestion; Incompatible; CPS limit',
    retryAfterSeconds: 18,
  })
})

test('a cause that says nothing useful is none', () => {
  assert.deepEqual(causeOf(response(486, '', [['reason', 'Q.850;cause=many, SIP']])), {
    q850: null,
    text: null,
    retryAfterSeconds: null,
  })
})

test('evidence of an answered call is 200, however its BYE was worded', () => {
  const bye = response(0, '', [['reason', 'Q.850;cause=31']])
  const evidence = evidenceOf(bye, 123)
  assert.deepEqual([evidence.sipStatus, evidence.answeredAt, evidence.q850], [200, 123, 31])
})
