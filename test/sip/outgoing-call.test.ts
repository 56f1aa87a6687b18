// A call from the dial to the answer, against a carrier that the test plays (RFC 3261 §13, §9; field notes §1).
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { gatewayHop, openWire, sdp } from './wire.ts'

test('an INVITE carries what a trunk needs', async () => {
  const wire = await openWire()
  wire.invite({
    headers: [['P-Asserted-Identity', '<sip:+12025550199@trunk.example>']],
    sessionSeconds: 1_800,
  })
  const { message: invite, to } = await wire.takeRequest('INVITE')
  assert.deepEqual(to, gatewayHop)
  assert.equal(invite.uri, 'sip:+12025550163@trunk.example')
  assert.match(invite.headers.get('via') ?? '', /^SIP\/2\.0\/UDP 198\.51\.100\.7:5060;rport;branch=z9hG4bK/)
  assert.match(invite.headers.get('from') ?? '', /^<sip:\+12025550199@trunk\.example>;tag=\S{16}$/)
  assert.equal(invite.headers.get('contact'), '<sip:outdial@198.51.100.7:5060>')
  assert.equal(invite.headers.get('cseq'), '1 INVITE')
  assert.equal(invite.headers.get('session-expires'), '1800')
  assert.equal(invite.headers.get('p-asserted-identity'), '<sip:+12025550199@trunk.example>')
  assert.equal(invite.body, sdp)
})

test('an unanswered INVITE is sent again at doubling intervals, and after 32 s the call ends without a status', async () => {
  const wire = await openWire()
  const { heard } = wire.invite()
  const { at: start } = await wire.takeRequest('INVITE')
  await wire.pass(31_900)
  const again = wire.sent.splice(0)
  assert.deepEqual(
    again.map(({ at }) => Math.round((at - start) / 100) * 100),
    [500, 1_500, 3_500, 7_500, 15_500, 31_500],
  )
  assert.equal(new Set(again.map(({ text }) => text)).size, 1)
  assert.equal(heard.ended.length, 0)
  await wire.pass(200)
  assert.deepEqual([heard.ended[0]?.sipStatus, heard.ended[0]?.phrase], [null, null])
  wire.nothingSent()
})

test('a 100 stops the repetition, and however long it then rings nothing is sent', async () => {
  const wire = await openWire()
  const { heard } = wire.invite()
  const { message: invite } = await wire.takeRequest('INVITE')
  await wire.reply(invite, 100)
  await wire.pass(120_000)
  wire.nothingSent()
  assert.deepEqual([heard.provisional, heard.ended], [[], []])
})

test('a 183 that wants to be acknowledged, though we did not offer that (RFC 3262), rings like any other', async () => {
  const wire = await openWire()
  const { heard } = wire.invite({ sessionSeconds: 1_800 })
  const { message: invite } = await wire.takeRequest('INVITE')
  assert.deepEqual(invite.headers.list('supported'), ['timer'])
  const reliable: [string, string][] = [
    ['require', '100rel'],
    ['rseq', '4711'],
  ]
  // §3: they repeat it for want of a PRACK, and may then give the call up with a 5xx of their own.
  for (let copies = 0; copies < 3; copies++) await wire.reply(invite, 183, { body: sdp, headers: reliable })
  wire.nothingSent()
  assert.deepEqual(heard.provisional[0], { status: 183, sdp })
  await wire.reply(invite, 200)
  await wire.takeRequest('ACK')
  assert.deepEqual(heard.answered, [sdp])
})

test('a ringing call that is hung up is cancelled once, and its 487 is acknowledged', async () => {
  const wire = await openWire()
  const { call, heard } = wire.invite()
  const { message: invite } = await wire.takeRequest('INVITE')
  await wire.reply(invite, 180)
  assert.deepEqual(heard.provisional, [{ status: 180, sdp: '' }])
  call.hangUp()
  call.hangUp()
  const { message: cancel } = await wire.takeRequest('CANCEL')
  for (const name of ['via', 'from', 'to', 'call-id'])
    assert.equal(cancel.headers.get(name), invite.headers.get(name))
  assert.deepEqual([cancel.uri, cancel.headers.get('cseq')], [invite.uri, '1 CANCEL'])
  await wire.reply(cancel, 200)
  await wire.reply(invite, 487)
  const { message: ack } = await wire.takeRequest('ACK')
  assert.equal(ack.headers.get('via'), invite.headers.get('via'))
  assert.match(ack.headers.get('to') ?? '', /tag=far/)
  assert.equal(heard.ended[0]?.sipStatus, 487)
  await wire.reply(invite, 487)
  await wire.takeRequest('ACK')
  wire.nothingSent()
})

test('a call is not cancelled before a provisional; the first one brings the CANCEL', async () => {
  const wire = await openWire()
  const { call, heard } = wire.invite()
  const { message: invite } = await wire.takeRequest('INVITE')
  call.hangUp()
  await wire.pass(100)
  wire.nothingSent()
  await wire.reply(invite, 100)
  await wire.takeRequest('CANCEL')
  await wire.reply(invite, 487)
  assert.deepEqual([wire.drain(), heard.ended[0]?.sipStatus], [['ACK'], 487])
})

test('a carrier that never confirms a CANCEL is given up after 32 s', async () => {
  const wire = await openWire()
  const { call, heard } = wire.invite()
  const { message: invite } = await wire.takeRequest('INVITE')
  await wire.reply(invite, 180)
  call.hangUp()
  await wire.pass(31_900)
  assert.equal(heard.ended.length, 0)
  await wire.pass(200)
  assert.deepEqual([heard.ended.length, heard.ended[0]?.sipStatus], [1, null])
})

test('a 200 that wins the race against our CANCEL is acknowledged and hung up at once', async () => {
  const wire = await openWire()
  const { call, heard } = wire.invite()
  const { message: invite } = await wire.takeRequest('INVITE')
  await wire.reply(invite, 180)
  call.hangUp()
  const { message: cancel } = await wire.takeRequest('CANCEL')
  await wire.reply(invite, 200, { body: sdp })
  await wire.takeRequest('ACK')
  const { message: bye } = await wire.takeRequest('BYE')
  await wire.reply(cancel, 481)
  await wire.reply(bye, 200)
  assert.deepEqual(heard.answered, [])
  assert.deepEqual([heard.ended.length, heard.ended[0]?.sipStatus], [1, 200])
  assert.notEqual(heard.ended[0]?.answeredAt, null)
})

test('early media is told with the provisional, and serves as the answer when the 200 has none', async () => {
  const wire = await openWire()
  const { heard } = wire.invite()
  const { message: invite } = await wire.takeRequest('INVITE')
  await wire.reply(invite, 183, { body: sdp })
  assert.deepEqual(heard.provisional, [{ status: 183, sdp }])
  assert.deepEqual(heard.answered, [])
  await wire.reply(invite, 200)
  assert.deepEqual(heard.answered, [sdp])
})

test('a 200 without any SDP is acknowledged, hung up and no answer', async () => {
  const wire = await openWire()
  const { heard } = wire.invite()
  const { message: invite } = await wire.takeRequest('INVITE')
  await wire.reply(invite, 200)
  assert.deepEqual(wire.drain(), ['ACK', 'BYE'])
  assert.deepEqual(heard.answered, [])
  assert.deepEqual(
    [heard.ended[0]?.sipStatus, heard.ended[0]?.answeredAt, heard.ended[0]?.phrase],
    [200, null, 'answered without SDP'],
  )
})

test('a repeated 200 is acknowledged again, in the same words', async () => {
  const wire = await openWire()
  const { heard, invite, ack } = await wire.answeredCall()
  await wire.reply(invite, 200, { body: sdp })
  const again = await wire.takeRequest('ACK')
  assert.deepEqual(again.message, ack)
  assert.equal(heard.answered.length, 1)
})

test('the second branch of a fork that picks up too is acknowledged and hung up', async () => {
  const wire = await openWire()
  const { heard, invite } = await wire.answeredCall()
  await wire.reply(invite, 200, { body: sdp, tag: 'other', contact: '<sip:other@192.0.2.9:5070>' })
  const { message: ack, to } = await wire.takeRequest('ACK')
  const { message: bye } = await wire.takeRequest('BYE')
  assert.match(bye.headers.get('to') ?? '', /tag=other/)
  assert.deepEqual([ack.uri, to.port], ['sip:other@192.0.2.9:5070', 5070])
  assert.deepEqual([heard.answered.length, heard.ended], [1, []])
})

test('what a final answer says beside its status is kept as evidence', async () => {
  const wire = await openWire()
  const { heard } = wire.invite()
  const { message: invite } = await wire.takeRequest('INVITE')
  await wire.reply(invite, 480, {
    phrase: 'Temporarily Unavailable',
    headers: [
      ['Reason', 'SIP;cause=480, Q.850;cause=18;text="No user responding"'],
      ['Warning', '399 carrier "all channels busy"'],
      ['X-Twilio-Error', '32203 caller flagged'],
    ],
  })
  const [evidence] = heard.ended
  assert.equal(evidence?.q850, 18)
  assert.equal(
    evidence?.phrase,
    'Temporarily Unavailable; No user responding; all channels busy; x-twilio-error 32203 caller flagged',
  )
})

test('a redirection is not followed: it ends the call', async () => {
  const wire = await openWire()
  const { heard } = wire.invite()
  const { message: invite } = await wire.takeRequest('INVITE')
  await wire.reply(invite, 302, { headers: [['Contact', '<sip:+19005550100@elsewhere.example>']] })
  assert.deepEqual([wire.drain(), heard.ended[0]?.sipStatus], [['ACK'], 302])
})

test('a carrier whose shortest session is longer is asked again with it', async () => {
  const wire = await openWire()
  wire.invite({ sessionSeconds: 1_800 })
  const { message: invite } = await wire.takeRequest('INVITE')
  await wire.reply(invite, 422, { headers: [['Min-SE', '3600']] })
  await wire.takeRequest('ACK')
  const { message: again } = await wire.takeRequest('INVITE')
  assert.deepEqual(
    [again.headers.get('session-expires'), again.headers.get('min-se'), again.headers.get('cseq')],
    ['3600', '3600', '2 INVITE'],
  )
})

test('after a call nothing of it is left but what absorbs repetitions, and that goes too', async () => {
  const wire = await openWire()
  const { call, heard } = await wire.answeredCall()
  call.hangUp()
  const { message: bye } = await wire.takeRequest('BYE')
  await wire.reply(bye, 200)
  assert.equal(heard.ended.length, 1)
  assert.equal(wire.agent.figures().calls, 0)
  await wire.pass(40_000)
  assert.deepEqual(wire.agent.figures(), {
    calls: 0,
    clientTransactions: 0,
    serverTransactions: 0,
    timers: 0,
  })
  wire.nothingSent()
})
