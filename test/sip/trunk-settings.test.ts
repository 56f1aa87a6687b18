// What a SIP trunk may be told, and the one sentence that says what is wrong.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createResolver, type Dns, literalHop } from '../../src/carrier/sip/resolver.ts'
import { hopKey } from '../../src/carrier/sip/transport.ts'
import { formatNumber, parseGateway, readTrunkSettings } from '../../src/carrier/sip/trunk-settings.ts'
import { VirtualClock } from '../../src/runtime/virtual-clock.ts'

test('an address is all that a trunk needs', () => {
  const read = readTrunkSettings({ address: 'sip.carrier.example', somethingElse: true })
  assert.ok('settings' in read)
  const { gateways, domain, credentials, codecs, sessionSeconds, rtpTimeoutMs } = read.settings
  assert.deepEqual(gateways, [{ host: 'sip.carrier.example', port: null, protocol: 'udp' }])
  assert.deepEqual(
    [domain, credentials, codecs, sessionSeconds, rtpTimeoutMs],
    ['sip.carrier.example', null, ['PCMU', 'PCMA'], 1_800, 30_000],
  )
})

test('a gateway is written as people write it', () => {
  for (const [text, host, port, protocol] of [
    ['sip.example.com', 'sip.example.com', null, 'udp'],
    ['192.0.2.1:5080', '192.0.2.1', 5_080, 'udp'],
    ['tcp:sip.example.com:5070', 'sip.example.com', 5_070, 'tcp'],
    ['TLS:sip.example.com', 'sip.example.com', null, 'tls'],
    ['sips:sip.example.com:443', 'sip.example.com', 443, 'tls'],
    ['sip:sip.example.com;transport=tcp', 'sip.example.com', null, 'tcp'],
    ['2001:db8::1', '2001:db8::1', null, 'udp'],
    ['[2001:db8::1]:5060', '2001:db8::1', 5_060, 'udp'],
  ] as const)
    assert.deepEqual(parseGateway(text), { host, port, protocol }, text)
  for (const wrong of ['', 'a b', 'sip:user@host', 'host:99999', 'sip:host;transport=ws', 'http://x'])
    assert.equal(parseGateway(wrong), null, wrong)
})

test('gateways of a trunk that checks no certificates say so, and so do their hops', async () => {
  const read = readTrunkSettings({ gateways: ['tls:192.0.2.1', 'tls:sip.example'], tlsVerify: false })
  assert.ok('settings' in read)
  const [literal, named] = read.settings.gateways
  assert.deepEqual([literal?.verify, named?.verify], [false, false])
  assert.equal(literalHop(literal!)?.verify, false)
  const dns: Dns = { resolveSrv: async () => [], resolveAddresses: async () => ['192.0.2.2'] }
  const resolver = createResolver({ dns, clock: new VirtualClock(0), random: () => 0.5 })
  const [unverified] = await resolver.resolve(named!)
  const [verified] = await resolver.resolve({ host: 'sip.example', port: null, protocol: 'tls' })
  assert.deepEqual([unverified?.verify, verified?.verify], [false, undefined])
  assert.notEqual(hopKey(unverified!), hopKey(verified!), 'they share no connection')
})

test('what is wrong is said in one sentence that names the setting and no secret', () => {
  const address = 'sip.carrier.example'
  for (const [settings, sentence] of [
    [{}, /^address must name the trunk/],
    [{ gateways: ['ok.example', 'not ok'] }, /^gateways must be like/],
    [{ address, username: 'u' }, /^username and password must be set together/],
    [{ address, codecs: ['G729'] }, /^codecs/],
    [{ address, publicAddress: 'name.example' }, /^publicAddress must be an IP address/],
    [{ address, number: { prefix: 'abc' } }, /^number\.prefix must be up to 15/],
    [{ address, headers: { Via: 'x' } }, /^headers/],
    [{ address, headers: { 'X-A': 'one\r\nVia: two' } }, /^headers\.X-A must be one line/],
    [{ address, sessionSeconds: 5 }, /^sessionSeconds/],
    [{ address, password: 'x'.repeat(300), username: 'u' }, /^password/],
  ] as const) {
    const read = readTrunkSettings(settings)
    assert.ok('error' in read && sentence.test(read.error), JSON.stringify(read))
  }
})

test('a number is written as the carrier wants it', () => {
  const number = '+12025550163'
  for (const [format, written] of [
    [{ plus: true, prefix: '', strip: '' }, '+12025550163'],
    [{ plus: false, prefix: '', strip: '' }, '12025550163'],
    [{ plus: false, prefix: '011', strip: '' }, '01112025550163'],
    [{ plus: false, prefix: '0', strip: '1' }, '02025550163'],
    [{ plus: true, prefix: '', strip: '44' }, '+12025550163'],
  ] as const)
    assert.equal(formatNumber(number, format), written)
})
