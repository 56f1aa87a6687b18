// What reaches the user agent without being asked for: strangers, answers to calls of another life, floods and garbage.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { pino } from 'pino'
import type { CallSnapshot } from '../../src/carrier/sip/call.ts'
import { HeaderList } from '../../src/carrier/sip/header-list.ts'
import { gatewayHop, openWire, sdp } from './wire.ts'

function stranger(method: string, more: string[] = []): string {
  return [
    `${method} sip:outdial@198.51.100.7 SIP/2.0`,
    'Via: SIP/2.0/UDP 203.0.113.9:5999;rport;branch=z9hG4bKx',
    'From: <sip:who@203.0.113.9>;tag=w',
    'To: <sip:outdial@198.51.100.7>',
    'Call-ID: from-nowhere',
    `CSeq: 1 ${method}`,
    ...more,
    'Content-Length: 0',
    '',
    '',
  ].join('\r\n')
}

test('an INVITE from outside is refused, and so is all else that belongs to no call', async () => {
  const wire = await openWire()
  for (const [method, status] of [
    ['INVITE', 403],
    ['OPTIONS', 200],
    ['CANCEL', 481],
    ['BYE', 481],
    ['REGISTER', 405],
    ['DANCE', 501],
  ] as const) {
    await wire.receive(stranger(method))
    const { message } = await wire.takeResponse(status)
    assert.match(message.headers.get('to') ?? '', /;tag=/, method)
    assert.match(message.headers.get('via') ?? '', /;received=192\.0\.2\.1;rport=5060/)
  }
  await wire.receive(stranger('ACK'))
  wire.nothingSent()
  assert.equal(wire.agent.figures().serverTransactions, 0)
})

test('a repeated INVITE from outside is refused with the same tag, though nothing is kept', async () => {
  const wire = await openWire()
  await wire.receive(stranger('INVITE'))
  const first = await wire.takeResponse(403)
  await wire.receive(stranger('INVITE'))
  assert.equal((await wire.takeResponse(403)).text, first.text)
})

test('a flood of strangers is answered a hundred times a second at most and logged once', async () => {
  const lines: string[] = []
  const logger = pino({ level: 'warn' }, { write: line => void lines.push(line) })
  const wire = await openWire({ logger })
  for (let count = 0; count < 5_000; count++) wire.agent.receive(Buffer.from(stranger('OPTIONS')), gatewayHop)
  assert.deepEqual([wire.sent.length, lines.length], [100, 1])
})

test('garbage costs a log line in ten seconds, which says how much was left out', async () => {
  const lines: string[] = []
  const logger = pino({ level: 'warn' }, { write: line => void lines.push(line) })
  const wire = await openWire({ logger })
  for (let count = 0; count < 1_000; count++)
    await wire.agent.receive(Buffer.from('not SIP at all'), gatewayHop)
  assert.equal(lines.length, 1)
  await wire.pass(10_000)
  wire.agent.receive(Buffer.from('not SIP at all'), gatewayHop)
  assert.deepEqual([lines.length, JSON.parse(lines[1] ?? '{}').leftOut], [2, 999])
})

test('keep-alives are no messages', async () => {
  const lines: string[] = []
  const wire = await openWire({ logger: pino({ level: 'warn' }, { write: line => void lines.push(line) }) })
  for (const bytes of ['\r\n\r\n', '\r\n', '\0\0\0\0', '']) wire.agent.receive(Buffer.from(bytes), gatewayHop)
  assert.deepEqual(lines, [])
})

test('a 200 for a call of an earlier life is acknowledged and hung up', async () => {
  const tagSecret = Buffer.alloc(32, 7)
  const before = await openWire({ tagSecret })
  before.invite()
  const { message: invite } = await before.takeRequest('INVITE')
  await before.agent.close()
  const after = await openWire({ tagSecret })
  await after.reply(invite, 200, { body: sdp })
  const { message: ack } = await after.takeRequest('ACK')
  const { message: bye } = await after.takeRequest('BYE')
  assert.deepEqual([ack.uri, bye.headers.get('cseq')], ['sip:far@192.0.2.1:5060', '2 BYE'])
})

test('a 200 that speaks of a call which was never ours moves us to nothing', async () => {
  const wire = await openWire()
  const other = await openWire()
  other.invite()
  const { message: invite } = await other.takeRequest('INVITE')
  await wire.reply(invite, 200, { body: sdp })
  wire.nothingSent()
})

/** What a call leaves on disk as it goes on; the last is what a crash finds. */
async function crashAfter(status: 'silence' | 180 | 200): Promise<CallSnapshot> {
  const wire = await openWire()
  const kept: (CallSnapshot | null)[] = []
  wire.invite({}, { changed: snapshot => void kept.push(snapshot) })
  const { message: invite } = await wire.takeRequest('INVITE')
  if (status !== 'silence') await wire.reply(invite, status, { body: sdp })
  await wire.agent.close()
  return JSON.parse(JSON.stringify(kept.at(-1))) as CallSnapshot
}

test('after a crash a ringing call is cancelled from what was kept, never dialled again', async () => {
  const kept = await crashAfter(180)
  const wire = await openWire()
  const answer = wire.agent.hangUp(kept, null)
  const { message: cancel } = await wire.takeRequest('CANCEL')
  assert.equal(cancel.headers.get('via'), kept.invite.via)
  await wire.reply(cancel, 200)
  await wire.reply({ ...cancel, method: 'INVITE', headers: inviteHeaders(kept) }, 487)
  await wire.takeRequest('ACK')
  assert.equal(await answer, 'unanswered')
  wire.nothingSent()
})

test('after a crash an answered call is hung up from what was kept', async () => {
  const wire = await openWire()
  const answer = wire.agent.hangUp(await crashAfter(200), null)
  const { message: bye } = await wire.takeRequest('BYE')
  assert.match(bye.headers.get('to') ?? '', /tag=far/)
  await wire.reply(bye, 200)
  assert.equal(await answer, 'answered')
})

test('after a crash a call that is answered while it is cancelled is acknowledged and hung up', async () => {
  const kept = await crashAfter('silence')
  const wire = await openWire()
  const answer = wire.agent.hangUp(kept, null)
  const { message: cancel } = await wire.takeRequest('CANCEL')
  await wire.reply({ ...cancel, method: 'INVITE', headers: inviteHeaders(kept) }, 200, { body: sdp })
  await wire.takeRequest('ACK')
  const { message: bye } = await wire.takeRequest('BYE')
  await wire.reply(bye, 200)
  assert.equal(await answer, 'answered')
})

test('after a crash a carrier that does not know the call, or does not answer, proves nothing', async () => {
  const kept = await crashAfter('silence')
  const wire = await openWire()
  const refused = wire.agent.hangUp(kept, null)
  const { message: cancel } = await wire.takeRequest('CANCEL')
  await wire.reply(cancel, 481)
  assert.equal(await refused, 'unknown')
  const unanswered = wire.agent.hangUp(kept, null)
  await wire.pass(33_000)
  assert.equal(await unanswered, 'unknown')
  assert.deepEqual(new Set(wire.drain()), new Set(['CANCEL']))
})

function inviteHeaders({ invite, callId }: CallSnapshot): HeaderList {
  return new HeaderList()
    .add('via', invite.via)
    .add('from', invite.from)
    .add('to', invite.to)
    .add('call-id', callId)
    .add('cseq', `${invite.cseq} INVITE`)
}

test('whatever bytes arrive in the middle of a call, the user agent stands', async () => {
  const wire = await openWire()
  const { invite } = await wire.answeredCall()
  const seed = Date.now()
  const pieces = [
    'SIP/2.0 200 OK\r\n',
    'BYE sip:x SIP/2.0\r\n',
    'INVITE sip:x@y SIP/2.0\r\n',
    `Via: ${invite.headers.get('via')}\r\n`,
    `From: ${invite.headers.get('from')}\r\n`,
    `To: ${invite.headers.get('to')};tag=far\r\n`,
    `From: ${invite.headers.get('to')};tag=far\r\n`,
    `To: ${invite.headers.get('from')}\r\n`,
    'Call-ID: call-1\r\n',
    'CSeq: 1 INVITE\r\n',
    'CSeq: 9 BYE\r\n',
    'Contact: <sip:\r\n',
    'Record-Route: <;lr>,,<sip:[::1>\r\n',
    'Session-Expires: 99999999999\r\n',
    'Content-Length: 3\r\n',
    '\r\n',
    'v=0',
  ]
  fc.assert(
    fc.property(fc.array(fc.oneof(fc.constantFrom(...pieces), fc.string()), { maxLength: 16 }), parts => {
      wire.agent.receive(Buffer.from(parts.join('')), gatewayHop)
    }),
    { seed, numRuns: 2_000 },
  )
  assert.ok(wire.agent.figures().calls <= 1, `seed ${seed}`)
})
