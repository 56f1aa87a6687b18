// A node that may have lost a call to another one sends no INVITE for it: not the first, not again, not to the next gateway.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { CallSnapshot } from '../../src/carrier/sip/call.ts'
import { openWire } from './wire.ts'

test('an INVITE is not repeated once its lease has run out', async () => {
  const wire = await openWire()
  let held = true
  const { heard } = wire.invite({ mayRing: () => held })
  await wire.takeRequest('INVITE')
  await wire.pass(600)
  assert.equal(wire.sent.splice(0).length, 1, 'repeated while the lease holds')
  held = false
  await wire.pass(31_000)
  wire.nothingSent()
  await wire.pass(1_000)
  assert.equal(heard.ended.length, 1)
})

test('a challenge that is answered too late is not answered, and the call was not placed', async () => {
  const wire = await openWire()
  let held = true
  const credentials = { username: 'trunk1', password: 's3cret' }
  const { heard } = wire.invite({ credentials, mayRing: () => held })
  const { message: invite } = await wire.takeRequest('INVITE')
  held = false
  await wire.reply(invite, 407, { headers: [['Proxy-Authenticate', 'Digest realm="r", nonce="n"']] })
  await wire.takeRequest('ACK')
  wire.nothingSent()
  assert.equal(heard.ended[0]?.notPlaced, true)
})

test('an INVITE waits until what hangs it up is kept, and is not sent where another node has the call', async () => {
  for (const [isOurs, sent] of [
    [true, 1],
    [false, 0],
  ] as const) {
    const wire = await openWire()
    const kept: CallSnapshot[] = []
    let answer = (_isOurs: boolean) => {}
    const changed = (snapshot: CallSnapshot | null) => {
      if (snapshot !== null) kept.push(snapshot)
      return new Promise<boolean>(resolve => {
        answer = resolve
      })
    }
    const { heard } = wire.invite({}, { changed })
    await wire.pass(100)
    wire.nothingSent()
    assert.equal(kept[0]?.callId, 'call-1')
    answer(isOurs)
    await wire.pass(0)
    assert.equal(wire.sent.length, sent)
    assert.equal(heard.ended[0]?.notPlaced, isOurs ? undefined : true)
  }
})

test('a call that is hung up while it waits to be kept is never sent', async () => {
  const wire = await openWire()
  let answer = (_isOurs: boolean) => {}
  const changed = () =>
    new Promise<boolean>(resolve => {
      answer = resolve
    })
  const { call, heard } = wire.invite({}, { changed })
  await wire.pass(10)
  call.hangUp()
  answer(true)
  await wire.pass(0)
  wire.nothingSent()
  assert.equal(heard.ended.length, 1)
})
