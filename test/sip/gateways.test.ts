// Which gateway a call goes to, and when another one is asked: only on proof that the first did not take it.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Gateway } from '../../src/carrier/sip/resolver.ts'
import { noDns, openWire, sdp } from './wire.ts'

const two: Gateway[] = [
  { host: '192.0.2.1', port: null, protocol: 'udp' },
  { host: '192.0.2.2', port: 5080, protocol: 'udp' },
]

test('a gateway that surely did not get the call is followed by the next, with a new branch', async () => {
  const wire = await openWire()
  const { heard } = wire.invite({ gateways: two })
  const first = await wire.takeRequest('INVITE')
  first.fail({ isProof: true, reason: 'ECONNREFUSED' })
  const second = await wire.takeRequest('INVITE')
  assert.deepEqual([second.to.address, second.to.port], ['192.0.2.2', 5080])
  assert.notEqual(second.message.headers.get('via'), first.message.headers.get('via'))
  assert.equal(second.message.headers.get('call-id'), first.message.headers.get('call-id'))
  assert.deepEqual(heard.ended, [])
})

test('a gateway that answers 503 is followed by the next, even after a 100', async () => {
  const wire = await openWire()
  const { heard } = wire.invite({ gateways: two })
  const first = await wire.takeRequest('INVITE')
  await wire.reply(first.message, 100)
  await wire.reply(first.message, 503)
  await wire.takeRequest('ACK')
  const second = await wire.takeRequest('INVITE')
  await wire.reply(second.message, 486)
  assert.deepEqual([heard.ended.length, heard.ended[0]?.sipStatus], [1, 486])
})

test('after a provisional above 100 no other gateway is asked: the telephone may have rung', async () => {
  const wire = await openWire()
  const { heard } = wire.invite({ gateways: two })
  const first = await wire.takeRequest('INVITE')
  await wire.reply(first.message, 183)
  await wire.reply(first.message, 503, { headers: [['Retry-After', '5']] })
  assert.deepEqual([wire.drain(), heard.ended[0]?.sipStatus], [['ACK'], 503])
})

test('silence proves nothing: no other gateway is asked', async () => {
  const wire = await openWire()
  const { heard } = wire.invite({ gateways: two })
  await wire.takeRequest('INVITE')
  await wire.pass(33_000)
  assert.ok(wire.sent.every(({ to }) => to.address === '192.0.2.1'))
  assert.deepEqual([heard.ended.length, heard.ended[0]?.sipStatus], [1, null])
})

test('a connection that broke after the INVITE proves nothing either', async () => {
  const wire = await openWire({ protocols: ['tcp'] })
  const gateways = two.map(gateway => ({ ...gateway, protocol: 'tcp' as const }))
  const { heard } = wire.invite({ gateways })
  const first = await wire.takeRequest('INVITE')
  first.fail({ isProof: false, reason: 'ECONNRESET' })
  await wire.pass(31_000)
  wire.nothingSent()
  await wire.pass(2_000)
  assert.equal(heard.ended[0]?.sipStatus, null)
})

test('when every gateway refuses, the call ends with what the last one said', async () => {
  const wire = await openWire()
  const { heard } = wire.invite({ gateways: two })
  const first = await wire.takeRequest('INVITE')
  await wire.reply(first.message, 503)
  await wire.takeRequest('ACK')
  const second = await wire.takeRequest('INVITE')
  second.fail({ isProof: true, reason: 'ECONNREFUSED' })
  await wire.pass(0)
  assert.deepEqual(
    [heard.ended[0]?.sipStatus, heard.ended[0]?.phrase],
    [null, 'the gateway refused the connection: ECONNREFUSED'],
  )
})

test('a gateway that refused is passed over by the next calls until its time is up', async () => {
  const wire = await openWire()
  wire.invite({ callId: 'one', gateways: two })
  const first = await wire.takeRequest('INVITE')
  await wire.reply(first.message, 503, { headers: [['Retry-After', '20']] })
  wire.drain()
  wire.invite({ callId: 'two', gateways: two })
  assert.equal((await wire.takeRequest('INVITE')).to.address, '192.0.2.2')
  await wire.pass(20_000)
  wire.drain()
  wire.invite({ callId: 'three', gateways: two })
  assert.equal((await wire.takeRequest('INVITE')).to.address, '192.0.2.1')
})

test('a gateway that refused is tried all the same when there is no other', async () => {
  const wire = await openWire()
  wire.invite({ callId: 'one' })
  ;(await wire.takeRequest('INVITE')).fail({ isProof: true, reason: 'ECONNREFUSED' })
  wire.invite({ callId: 'two' })
  assert.equal((await wire.takeRequest('INVITE')).to.address, '192.0.2.1')
})

test('a name is looked up by SRV: priorities in order, the addresses of each', async () => {
  const wire = await openWire({
    dns: {
      resolveSrv: async name => {
        assert.equal(name, '_sip._udp.trunk.example')
        return [
          { name: 'b.trunk.example', port: 5070, priority: 20, weight: 1 },
          { name: 'a.trunk.example', port: 5060, priority: 10, weight: 1 },
        ]
      },
      resolveAddresses: async name => (name.startsWith('a') ? ['192.0.2.10', '192.0.2.11'] : ['192.0.2.20']),
    },
  })
  wire.invite({ gateways: [{ host: 'trunk.example', port: null, protocol: 'udp' }] })
  const asked: string[] = []
  for (let count = 0; count < 3; count++) {
    const { to, fail } = await wire.takeRequest('INVITE')
    asked.push(`${to.address}:${to.port}`)
    fail({ isProof: true, reason: 'ECONNREFUSED' })
  }
  assert.deepEqual(asked, ['192.0.2.10:5060', '192.0.2.11:5060', '192.0.2.20:5070'])
})

test('a name that leads nowhere is passed over, and alone it ends the call with the reason', async () => {
  const wire = await openWire({ dns: noDns })
  const unknown: Gateway = { host: 'nowhere.invalid', port: null, protocol: 'udp' }
  wire.invite({ callId: 'one', gateways: [unknown, ...two] })
  assert.equal((await wire.takeRequest('INVITE')).to.address, '192.0.2.1')
  const { heard } = wire.invite({ callId: 'two', gateways: [unknown] })
  await wire.pass(0)
  assert.deepEqual(
    [heard.ended[0]?.sipStatus, heard.ended[0]?.phrase],
    [null, 'no gateway can be reached: ENOTFOUND'],
  )
})

test('a call that is hung up while its gateway is looked up is never placed', async () => {
  const found = Promise.withResolvers<string[]>()
  const wire = await openWire({ dns: { ...noDns, resolveAddresses: () => found.promise } })
  const { call, heard } = wire.invite({ gateways: [{ host: 'slow.example', port: 5060, protocol: 'udp' }] })
  await wire.pass(10)
  call.hangUp()
  found.resolve(['192.0.2.1'])
  await wire.pass(10)
  wire.nothingSent()
  assert.equal(heard.ended.length, 1)
})

test('OPTIONS tells whether a gateway is there', async () => {
  const wire = await openWire()
  const hop = { protocol: 'udp', address: '192.0.2.1', port: 5060, serverName: '' } as const
  const there = wire.agent.options(hop)
  const { message: ping } = await wire.takeRequest('OPTIONS')
  await wire.reply(ping, 200)
  assert.deepEqual(await there, { status: 200, failure: null })
  const gone = wire.agent.options(hop)
  await wire.takeRequest('OPTIONS')
  await wire.pass(33_000)
  assert.deepEqual(await gone, { status: null, failure: 'no answer' })
  assert.equal(wire.agent.gateways()[0]?.reason, 'no answer to OPTIONS')
})

test('an answered call keeps to the way that Record-Route shows, and to its Contact', async () => {
  const wire = await openWire()
  const { call, ack } = await wire.answeredCall(
    {},
    {
      contact: '<sip:far@203.0.113.5:5062>',
      headers: [['Record-Route', '<sip:192.0.2.2;lr>, <sip:192.0.2.1:5066;lr>']],
    },
  )
  assert.deepEqual(ack.headers.list('route'), ['<sip:192.0.2.1:5066;lr>', '<sip:192.0.2.2;lr>'])
  assert.equal(ack.uri, 'sip:far@203.0.113.5:5062')
  call.hangUp()
  const { message: bye, to } = await wire.takeRequest('BYE')
  assert.deepEqual([bye.uri, to.address, to.port], ['sip:far@203.0.113.5:5062', '192.0.2.1', 5066])
  assert.equal(sdp.length > 0 && bye.headers.get('cseq'), '2 BYE')
})
