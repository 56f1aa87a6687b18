// An answered call: hold and resume, glare, session timers, BYE from either side (RFC 3261 §12 to 15, RFC 3311, RFC 4028).
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { openWire, sdp } from './wire.ts'

const hold = sdp.replace('a=sendrecv', 'a=sendonly')

test('their BYE is answered 200 and ends the call with its cause', async () => {
  const wire = await openWire()
  const { heard, invite } = await wire.answeredCall()
  await wire.ask(invite, 'BYE', 1, { headers: [['Reason', 'Q.850;cause=16;text="Normal call clearing"']] })
  await wire.takeResponse(200)
  const [evidence] = heard.ended
  assert.deepEqual([heard.ended.length, evidence?.sipStatus, evidence?.q850], [1, 200, 16])
  assert.notEqual(evidence?.answeredAt, null)
})

test('a BYE that is repeated gets the same answer once more, and the call ends once', async () => {
  const wire = await openWire()
  const { heard, invite } = await wire.answeredCall()
  await wire.ask(invite, 'BYE', 1)
  const first = await wire.takeResponse(200)
  await wire.ask(invite, 'BYE', 1)
  assert.equal((await wire.takeResponse(200)).text, first.text)
  assert.equal(heard.ended.length, 1)
})

test('our BYE ends the call when it is answered, repeated until then', async () => {
  const wire = await openWire()
  const { call, heard } = await wire.answeredCall()
  call.hangUp()
  const { message: bye } = await wire.takeRequest('BYE')
  await wire.pass(500)
  assert.deepEqual([wire.drain(), heard.ended], [['BYE'], []])
  await wire.reply(bye, 200)
  assert.deepEqual([heard.ended.length, heard.ended[0]?.sipStatus], [1, 200])
})

test('a BYE that nobody answers ends the call after 32 s all the same', async () => {
  const wire = await openWire()
  const { call, heard } = await wire.answeredCall()
  call.hangUp()
  await wire.pass(32_100)
  assert.equal(heard.ended.length, 1)
})

test('a re-INVITE is answered with SDP, repeated until its ACK: hold and resume', async () => {
  const wire = await openWire()
  const { heard, invite } = await wire.answeredCall()
  await wire.ask(invite, 'INVITE', 1, { body: hold })
  const { message: ok } = await wire.takeResponse(200)
  assert.equal(ok.body, sdp)
  assert.deepEqual(heard.offered, [hold])
  await wire.pass(500)
  assert.deepEqual(wire.drain(), ['200'])
  await wire.ask(invite, 'ACK', 1)
  await wire.pass(40_000)
  wire.nothingSent()
  await wire.ask(invite, 'INVITE', 2, { body: sdp })
  await wire.takeResponse(200)
  await wire.ask(invite, 'ACK', 2)
  assert.deepEqual([heard.offered, heard.ended], [[hold, sdp], []])
})

test('a re-INVITE whose 200 is never acknowledged ends the call', async () => {
  const wire = await openWire()
  const { heard, invite } = await wire.answeredCall()
  await wire.ask(invite, 'INVITE', 1, { body: hold })
  await wire.pass(33_000)
  const sent = wire.drain()
  assert.deepEqual([sent.includes('BYE'), sent[0]], [true, '200'])
  assert.equal(heard.ended.length, 0)
})

test('a re-INVITE without SDP gets an offer of ours, and the answer comes with its ACK', async () => {
  const wire = await openWire()
  const { heard, invite } = await wire.answeredCall()
  await wire.ask(invite, 'INVITE', 1)
  await wire.takeResponse(200)
  await wire.ask(invite, 'ACK', 1, { body: hold })
  assert.deepEqual([heard.offered, heard.answers], [[''], [hold]])
})

test('an offer that does not suit us is answered 488, and the call goes on', async () => {
  const wire = await openWire()
  const { heard } = wire.invite({}, { offered: () => null })
  const { message: invite } = await wire.takeRequest('INVITE')
  await wire.reply(invite, 200, { body: sdp })
  await wire.takeRequest('ACK')
  await wire.ask(invite, 'INVITE', 1, { body: hold })
  await wire.takeResponse(488)
  assert.deepEqual(heard.ended, [])
})

test('a re-INVITE that meets one of ours is answered 491, and ours comes again after theirs', async () => {
  const wire = await openWire()
  const { call, invite } = await wire.answeredCall()
  const answer = call.reinvite(hold)
  const { message: ours } = await wire.takeRequest('INVITE')
  await wire.ask(invite, 'INVITE', 1, { body: sdp })
  await wire.takeResponse(491)
  await wire.ask(invite, 'ACK', 1, { branch: 'INVITE' })
  await wire.reply(ours, 491)
  await wire.takeRequest('ACK')
  await wire.pass(3_020)
  const { message: again } = await wire.takeRequest('INVITE')
  assert.equal(again.headers.get('cseq'), '3 INVITE')
  await wire.reply(again, 200, { body: sdp })
  const { message: ack } = await wire.takeRequest('ACK')
  assert.equal(ack.headers.get('cseq'), '3 ACK')
  assert.equal(await answer, sdp)
})

test('a second re-INVITE before the ACK of the first is told to come later', async () => {
  const wire = await openWire()
  const { invite } = await wire.answeredCall()
  await wire.ask(invite, 'INVITE', 1, { body: hold })
  await wire.takeResponse(200)
  await wire.ask(invite, 'INVITE', 2, { body: sdp })
  const { message: later } = await wire.takeResponse(500)
  assert.equal(later.headers.get('retry-after'), '3')
})

test('a re-INVITE moves where our requests go', async () => {
  const wire = await openWire()
  const { call, invite } = await wire.answeredCall()
  await wire.ask(invite, 'INVITE', 1, { body: sdp, contact: '<sip:moved@192.0.2.77:5090>' })
  await wire.takeResponse(200)
  await wire.ask(invite, 'ACK', 1)
  call.hangUp()
  const { message: bye, to } = await wire.takeRequest('BYE')
  assert.deepEqual([bye.uri, to.address, to.port], ['sip:moved@192.0.2.77:5090', '192.0.2.77', 5090])
})

test('OPTIONS, INFO and UPDATE are answered within a call, the rest is refused by name', async () => {
  const wire = await openWire()
  const { heard, invite } = await wire.answeredCall()
  let cseq = 0
  for (const [method, status] of [
    ['OPTIONS', 200],
    ['INFO', 200],
    ['UPDATE', 200],
    ['REFER', 405],
    ['SUBSCRIBE', 405],
    ['DANCE', 501],
  ] as const) {
    await wire.ask(invite, method, ++cseq)
    const { message } = await wire.takeResponse(status)
    assert.match(message.headers.get('allow') ?? '', /INVITE, ACK, CANCEL, BYE/, method)
  }
  assert.deepEqual([heard.infos, heard.ended], [[''], []])
})

test('a request that is older than one before is refused, as is one that requires what we do not have', async () => {
  const wire = await openWire()
  const { invite } = await wire.answeredCall()
  await wire.ask(invite, 'INFO', 7)
  await wire.takeResponse(200)
  await wire.ask(invite, 'OPTIONS', 6)
  await wire.takeResponse(500)
  await wire.ask(invite, 'UPDATE', 8, { headers: [['Require', 'timer, 100rel']] })
  const { message } = await wire.takeResponse(420)
  assert.equal(message.headers.get('unsupported'), '100rel')
})

test('a request with a tag that is not this call is told that there is no such call', async () => {
  const wire = await openWire()
  const { heard, invite } = await wire.answeredCall()
  await wire.ask(invite, 'BYE', 1, { tag: 'somebody' })
  await wire.takeResponse(481)
  assert.deepEqual(heard.ended, [])
})

test('when we are to refresh the session we do so at half time, by UPDATE where it is allowed', async () => {
  const wire = await openWire()
  const headers: [string, string][] = [
    ['Session-Expires', '600;refresher=uac'],
    ['Allow', 'INVITE, ACK, BYE, UPDATE'],
  ]
  const { heard } = await wire.answeredCall({ sessionSeconds: 1_800 }, { headers })
  await wire.pass(299_000)
  wire.nothingSent()
  await wire.pass(1_100)
  const { message: update } = await wire.takeRequest('UPDATE')
  assert.equal(update.headers.get('session-expires'), '600;refresher=uac')
  await wire.reply(update, 200, { headers: [['Session-Expires', '600;refresher=uac']] })
  await wire.pass(300_100)
  await wire.takeRequest('UPDATE')
  assert.deepEqual(heard.ended, [])
})

test('where UPDATE is not known the session is refreshed by a re-INVITE that says the same SDP', async () => {
  const wire = await openWire()
  const headers: [string, string][] = [['Session-Expires', '600;refresher=uac']]
  await wire.answeredCall({ sessionSeconds: 1_800 }, { headers })
  await wire.pass(300_100)
  const { message: invite } = await wire.takeRequest('INVITE')
  assert.equal(invite.body, sdp)
  await wire.reply(invite, 200, { headers, body: sdp })
  await wire.takeRequest('ACK')
  await wire.pass(300_100)
  await wire.takeRequest('INVITE')
})

test('a refresh that is answered 481 ends the call', async () => {
  const wire = await openWire()
  const headers: [string, string][] = [['Session-Expires', '600;refresher=uac']]
  const { heard } = await wire.answeredCall({ sessionSeconds: 1_800 }, { headers })
  await wire.pass(300_100)
  const { message: invite } = await wire.takeRequest('INVITE')
  await wire.reply(invite, 481)
  await wire.takeRequest('ACK')
  const { message: bye } = await wire.takeRequest('BYE')
  await wire.reply(bye, 481)
  assert.equal(heard.ended.length, 1)
})

test('when they are to refresh the session and do not, the call is hung up shortly before its end', async () => {
  const wire = await openWire()
  const headers: [string, string][] = [['Session-Expires', '600;refresher=uas']]
  const { invite } = await wire.answeredCall({ sessionSeconds: 1_800 }, { headers })
  await wire.pass(500_000)
  await wire.ask(invite, 'UPDATE', 1, { headers: [['Session-Expires', '600;refresher=uac']] })
  const { message: ok } = await wire.takeResponse(200)
  assert.equal(ok.headers.get('session-expires'), '600;refresher=uac')
  await wire.pass(567_000)
  wire.nothingSent()
  await wire.pass(2_000)
  await wire.takeRequest('BYE')
})
