// The registry behind Twilio's hang-up route: which calls can be ended, by whom, and what is said of one that is over.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { HeldCalls } from '../../src/agent/media-stream/held-calls.ts'
import { callSidOf, defaultAccountSid } from '../../src/agent/media-stream/twilio-ids.ts'

const agent = { kind: 'media-stream', url: 'wss://bot.example', authToken: 'secret' } as const
const numbers = { from: '+12025550100', to: '+12025550163' }

function request(callId: string, token = 'secret', accountSid = defaultAccountSid) {
  const authorization = `Basic ${Buffer.from(`${accountSid}:${token}`).toString('base64')}`
  return { accountSid, callSid: callSidOf(callId), authorization, fields: { Status: 'completed' } }
}

function holding() {
  const calls = new HeldCalls()
  const hungUp: string[] = []
  const hold = (callId: string, settings: object = agent) =>
    calls.hold({ callId, ...numbers, agent: settings as never, hangUp: () => hungUp.push(callId) })
  return { calls, hungUp, hold }
}

test('the agent of a call hangs it up, and no other call', () => {
  const { calls, hungUp, hold } = holding()
  hold('one')
  hold('two')
  const { status, body } = calls.update(request('two'))
  assert.deepEqual([status, body.status, body.to, hungUp], [200, 'completed', numbers.to, ['two']])
  assert.equal(calls.update(request('two')).status, 404, 'it is over from then on')
})

test('a call that is over is not found, by whoever held it; a stranger learns nothing of either', () => {
  const { calls, hungUp, hold } = holding()
  hold('one')
  calls.release('one')
  const ended = calls.update(request('one'))
  assert.deepEqual([ended.status, ended.body.code], [404, 20404])
  assert.match(String(ended.body.message), new RegExp(`Calls/${callSidOf('one')}\\.json was not found`))
  hold('two')
  for (const callId of ['one', 'two', 'never'])
    assert.deepEqual(calls.update(request(callId, 'guess')).status, 401)
  assert.deepEqual(hungUp, [])
})

test('the key of one agent ends no call of another', () => {
  const { calls, hungUp, hold } = holding()
  hold('one')
  hold('two', { ...agent, authToken: 'other' })
  assert.equal(calls.update(request('two')).status, 401)
  assert.equal(calls.update(request('two', 'other')).status, 200)
  assert.deepEqual(hungUp, ['two'])
})

test('calls of other agents, and of agents without a token, are ended by nobody', () => {
  const { calls, hungUp, hold } = holding()
  hold('script', { kind: 'scripted', steps: [] })
  hold('open', { kind: 'media-stream', url: 'wss://bot.example' })
  for (const callId of ['script', 'open']) assert.equal(calls.update(request(callId, '')).status, 401)
  assert.deepEqual(hungUp, [])
})
