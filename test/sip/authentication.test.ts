// Digest within a call: which challenges are answered, how often, and what else stays the same (RFC 3261 §22).
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { openWire, sdp } from './wire.ts'

const credentials = { username: 'trunk1', password: 's3cret' }

const challenge = (nonce: string, more = ''): [string, string] => [
  'Proxy-Authenticate',
  `Digest realm="carrier.test", nonce="${nonce}", qop="auth"${more}`,
]

test('a 407 is acknowledged and answered with the same Call-ID and From, the next CSeq and a new branch', async () => {
  const wire = await openWire()
  wire.invite({ credentials })
  const first = await wire.takeRequest('INVITE')
  await wire.reply(first.message, 407, { headers: [challenge('one', ', opaque="o p"')] })
  await wire.takeRequest('ACK')
  const second = await wire.takeRequest('INVITE')
  for (const name of ['call-id', 'from', 'to'])
    assert.equal(second.message.headers.get(name), first.message.headers.get(name))
  assert.notEqual(second.message.headers.get('via'), first.message.headers.get('via'))
  assert.equal(second.message.headers.get('cseq'), '2 INVITE')
  const answer = second.message.headers.get('proxy-authorization') ?? ''
  assert.match(
    answer,
    /^Digest username="trunk1", realm="carrier\.test", nonce="one", uri="sip:\+12025550163@trunk\.example"/,
  )
  assert.match(answer, /qop=auth, nc=00000001, cnonce="\S+", opaque="o p"$/)
})

test('a 407 followed by a 401 is answered to both, and the ACK of the 200 carries both answers', async () => {
  const wire = await openWire()
  wire.invite({ credentials })
  const first = await wire.takeRequest('INVITE')
  await wire.reply(first.message, 407, { headers: [challenge('proxy')] })
  await wire.takeRequest('ACK')
  const second = await wire.takeRequest('INVITE')
  await wire.reply(second.message, 401, {
    headers: [['WWW-Authenticate', 'Digest realm="far.test", nonce="far", algorithm=SHA-256, qop="auth"']],
  })
  await wire.takeRequest('ACK')
  const third = await wire.takeRequest('INVITE')
  assert.match(third.message.headers.get('proxy-authorization') ?? '', /nonce="proxy".*nc=00000002/)
  assert.match(
    third.message.headers.get('authorization') ?? '',
    /nonce="far".*algorithm=SHA-256.*nc=00000001/,
  )
  await wire.reply(third.message, 200, { body: sdp })
  const { message: ack } = await wire.takeRequest('ACK')
  for (const name of ['authorization', 'proxy-authorization'])
    assert.equal(ack.headers.get(name), third.message.headers.get(name))
})

test('a stale nonce is answered again with the new one', async () => {
  const wire = await openWire()
  wire.invite({ credentials })
  for (const nonce of ['old', 'new']) {
    const { message: invite } = await wire.takeRequest('INVITE')
    await wire.reply(invite, 407, { headers: [challenge(nonce, nonce === 'new' ? ', stale=TRUE' : '')] })
    await wire.takeRequest('ACK')
  }
  const { message: last } = await wire.takeRequest('INVITE')
  assert.match(last.headers.get('proxy-authorization') ?? '', /nonce="new".*nc=00000001/)
})

test('a wrong password ends the call with the second 407', async () => {
  const wire = await openWire()
  const { heard } = wire.invite({ credentials })
  for (const nonce of ['one', 'two']) {
    const { message: invite } = await wire.takeRequest('INVITE')
    await wire.reply(invite, 407, { headers: [challenge(nonce)] })
    await wire.takeRequest('ACK')
  }
  wire.nothingSent()
  assert.equal(heard.ended[0]?.sipStatus, 407)
})

test('without credentials a challenge ends the call', async () => {
  const wire = await openWire()
  const { heard } = wire.invite()
  const { message: invite } = await wire.takeRequest('INVITE')
  await wire.reply(invite, 401, { headers: [['WWW-Authenticate', 'Digest realm="x", nonce="y"']] })
  assert.deepEqual([wire.drain(), heard.ended[0]?.sipStatus], [['ACK'], 401])
})

test('a carrier that calls every nonce stale is left after five rounds', async () => {
  const wire = await openWire()
  const { heard } = wire.invite({ credentials })
  let invites = 0
  for (; wire.clock.now() > 0 && heard.ended.length === 0; invites++) {
    const { message: invite } = await wire.takeRequest('INVITE')
    await wire.reply(invite, 407, { headers: [challenge(`n${invites}`, ', stale=true')] })
    await wire.takeRequest('ACK')
  }
  assert.deepEqual([invites, heard.ended[0]?.sipStatus], [6, 407])
})

test('a BYE that is challenged is sent again with credentials', async () => {
  const wire = await openWire()
  const { call, heard } = await wire.answeredCall({ credentials })
  call.hangUp()
  const first = await wire.takeRequest('BYE')
  await wire.reply(first.message, 407, { headers: [challenge('bye')] })
  const second = await wire.takeRequest('BYE')
  assert.match(second.message.headers.get('proxy-authorization') ?? '', /nonce="bye"/)
  assert.deepEqual(heard.ended, [])
  await wire.reply(second.message, 200)
  assert.equal(heard.ended.length, 1)
})

test('a call that was hung up meanwhile does not answer a challenge', async () => {
  const wire = await openWire()
  const { call, heard } = wire.invite({ credentials })
  const { message: invite } = await wire.takeRequest('INVITE')
  call.hangUp()
  await wire.reply(invite, 407, { headers: [challenge('one')] })
  assert.deepEqual([wire.drain(), heard.ended.length], [['ACK'], 1])
})
