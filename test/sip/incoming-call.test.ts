// Calls that come in (RFC 3261 §13.3): ringing, picking up, refusing, and what the caller does meanwhile.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { HeaderList } from '../../src/carrier/sip/header-list.ts'
import type { IncomingCall } from '../../src/carrier/sip/incoming-call.ts'
import { request, type SipRequest, sdpOf } from '../../src/carrier/sip/message.ts'
import { createResolver } from '../../src/carrier/sip/resolver.ts'
import { openUdp } from '../../src/carrier/sip/udp.ts'
import { createUserAgent } from '../../src/carrier/sip/user-agent.ts'
import type { Evidence } from '../../src/domain/outcome.ts'
import { realClock } from '../../src/runtime/clock.ts'
import { silentLogger } from '../../src/runtime/logger.ts'
import { peerTest, startSipp } from './peers.ts'
import { noDns, openWire, sdp, type Wire } from './wire.ts'

/** A request of a caller; `to` bears our tag within the dialog. */
function asked(method: string, cseq: number, { branch = method, tag = '', body = '' } = {}): SipRequest {
  const headers = new HeaderList()
    .add('via', `SIP/2.0/UDP 192.0.2.1:5060;rport;branch=z9hG4bK${branch}`)
    .add('from', '<sip:+12025550100@192.0.2.1>;tag=caller')
    .add('to', `<sip:+12025550190@198.51.100.7>${tag === '' ? '' : `;tag=${tag}`}`)
    .add('call-id', 'incoming-1')
    .add('cseq', `${cseq} ${method}`)
    .add('contact', '<sip:caller@192.0.2.1:5060>')
    .add('content-type', 'application/sdp')
  return request(method, 'sip:+12025550190@198.51.100.7:5060', headers, body)
}

async function comingIn(
  body = sdp,
): Promise<{ wire: Wire; call: IncomingCall; ended: Evidence[]; answers: string[] }> {
  const [calls, ended, answers]: [IncomingCall[], Evidence[], string[]] = [[], [], []]
  const wire = await openWire({ onIncoming: call => void calls.push(call) })
  await wire.receive(asked('INVITE', 1, { body }))
  const call = calls[0]!
  call.handle({
    ended: evidence => void ended.push(evidence),
    answerReceived: answer => void answers.push(answer),
  })
  return { wire, call, ended, answers }
}

async function answeredCall() {
  const incoming = await comingIn()
  incoming.call.accept(sdp)
  await incoming.wire.takeResponse(200)
  await incoming.wire.receive(asked('ACK', 1, { tag: incoming.call.localTag }))
  return incoming
}

test('an INVITE that comes again hears the ringing again, and the answer until it is acknowledged', async () => {
  const { wire, call } = await comingIn()
  assert.deepEqual([call.dialled, call.offer], ['+12025550190', sdp])
  call.ring()
  await wire.takeResponse(180)
  await wire.receive(asked('INVITE', 1, { body: sdp }))
  await wire.takeResponse(180)
  call.accept(sdp)
  const { message } = await wire.takeResponse(200)
  assert.equal(sdpOf(message), sdp)
  assert.match(message.headers.get('contact') ?? '', /198\.51\.100\.7/)
  await wire.pass(1_600)
  assert.deepEqual(wire.drain(), ['200', '200'])
  await wire.receive(asked('ACK', 1, { tag: call.localTag }))
  await wire.pass(30_000)
  wire.nothingSent()
})

test('an answer that is never acknowledged is hung up', async () => {
  const { wire, call, ended } = await comingIn()
  call.accept(sdp)
  await wire.pass(32_000)
  const bye = wire.sent.find(({ message }) => message.kind === 'request')!
  assert.equal((bye.message as SipRequest).method, 'BYE')
  assert.equal((bye.message as SipRequest).uri, 'sip:caller@192.0.2.1:5060')
  await wire.reply(bye.message as SipRequest, 200)
  assert.equal(ended.length, 1)
})

test('a caller who gives up while it rings hears 487, once', async () => {
  const { wire, call, ended } = await comingIn()
  call.ring()
  await wire.takeResponse(180)
  await wire.receive(asked('CANCEL', 1, { branch: 'INVITE' }))
  assert.deepEqual(wire.drain().sort(), ['200', '487'])
  assert.deepEqual(
    ended.map(({ sipStatus }) => sipStatus),
    [487],
  )
  call.accept(sdp)
  call.refuse(486, 'Busy Here')
  await wire.receive(asked('ACK', 1, { branch: 'INVITE', tag: call.localTag }))
  wire.nothingSent()
  assert.equal(wire.agent.figures().calls, 0)
})

test('a CANCEL that comes after the answer changes nothing', async () => {
  const { wire, call, ended } = await answeredCall()
  await wire.receive(asked('CANCEL', 1, { branch: 'INVITE' }))
  assert.deepEqual([wire.drain(), ended.length], [['200'], 0])
  call.hangUp()
  const { message } = await wire.takeRequest('BYE')
  await wire.reply(message, 200)
  assert.equal(ended.length, 1)
})

test('a refusal bears its headers and is over at once', async () => {
  const { wire, call } = await comingIn()
  call.refuse(503, 'Service Unavailable', [['retry-after', '7']])
  const { message } = await wire.takeResponse(503)
  assert.equal(message.headers.get('retry-after'), '7')
  assert.equal(wire.agent.figures().calls, 0)
})

test('the caller hangs up: 200, and the call is over', async () => {
  const { wire, call, ended } = await answeredCall()
  await wire.receive(asked('BYE', 2, { tag: call.localTag }))
  await wire.takeResponse(200)
  assert.deepEqual([ended.length, wire.agent.figures().calls], [1, 0])
})

test('a caller without an offer gets ours, and answers it in the ACK', async () => {
  const { wire, call, answers } = await comingIn('')
  assert.equal(call.offer, '')
  call.accept(sdp)
  await wire.takeResponse(200)
  await wire.receive(asked('ACK', 1, { tag: call.localTag, body: sdp }))
  assert.deepEqual(answers, [sdp])
})

test('who takes no calls goes on refusing them', async () => {
  const wire = await openWire()
  await wire.receive(asked('INVITE', 1, { body: sdp }))
  await wire.takeResponse(403)
})

peerTest("SIPp's own caller is answered, talks and hangs up", ['sipp'], async t => {
  const ended = Promise.withResolvers<Evidence>()
  const agent = await createUserAgent({
    openTransports: async events => [await openUdp({ host: '127.0.0.1', port: 0 }, events)],
    publicAddress: '127.0.0.1',
    resolver: createResolver({ dns: noDns, clock: realClock, random: () => 0.5 }),
    clock: realClock,
    logger: silentLogger,
    onIncoming: call => {
      call.handle({ ended: ended.resolve })
      call.ring()
      call.accept(sdp)
    },
  })
  t.after(() => agent.close())
  const peer = await startSipp(t, { scenario: 'uac', target: `127.0.0.1:${agent.localPort('udp')}` })
  assert.deepEqual([await peer.done, (await ended.promise).sipStatus], ['', 200])
})
