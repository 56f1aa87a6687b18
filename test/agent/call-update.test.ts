// Twilio's hang-up route, as Pipecat and others use it: who may, and what is answered.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { answerCallUpdate, type UpdatableCall } from '../../src/agent/media-stream/call-update.ts'
import { callSidOf, defaultAccountSid } from '../../src/agent/media-stream/twilio-ids.ts'

const callSid = callSidOf('call-1')
const call: UpdatableCall = {
  from: '+12025550100',
  to: '+12025550163',
  accountSid: defaultAccountSid,
  authToken: 'secret',
}
const basic = (text: string) => `Basic ${Buffer.from(text).toString('base64')}`
const authorization = basic(`${defaultAccountSid}:secret`)
const update = { accountSid: defaultAccountSid, callSid, authorization, fields: { Status: 'completed' } }

test('an agent with its account and token hangs up its call', () => {
  const { status, body, hangUp } = answerCallUpdate(update, call)
  assert.deepEqual([status, hangUp, body.sid, body.status], [200, true, callSid, 'completed'])
})

test('who has no key, a wrong one or one of another account hangs nothing up and learns nothing', () => {
  const wrong = [
    undefined,
    '',
    'Bearer secret',
    'Basic !',
    basic('secret'),
    basic(`${defaultAccountSid}:wrong`),
    basic('AC1:secret'),
  ]
  const unknownCall = answerCallUpdate(update, null)
  for (const sent of wrong) {
    const answer = answerCallUpdate({ ...update, authorization: sent }, call)
    assert.deepEqual([answer.status, answer.hangUp, answer.body.code], [401, false, 20003])
    assert.deepEqual(answer, unknownCall)
  }
})

test('an agent without a token may not use the route', () => {
  const answer = answerCallUpdate(
    { ...update, authorization: basic(`${defaultAccountSid}:`) },
    { ...call, authToken: null },
  )
  assert.deepEqual([answer.status, answer.hangUp], [401, false])
})

test('a path with another account than the key finds no call', () => {
  const answer = answerCallUpdate({ ...update, accountSid: `AC${'0'.repeat(32)}` }, call)
  assert.deepEqual([answer.status, answer.hangUp, answer.body.code], [404, false, 20404])
})

test('nothing but the end of a call can be asked for', () => {
  for (const fields of [{}, { Status: 'in-progress' }, { Twiml: '<Response/>' }]) {
    const answer = answerCallUpdate({ ...update, fields }, call)
    assert.deepEqual([answer.status, answer.hangUp], [400, false])
  }
})

test('a call has one id for ever, and other calls have others', () => {
  assert.equal(callSidOf('a'), callSidOf('a'))
  assert.notEqual(callSidOf('a'), callSidOf('b'))
})
