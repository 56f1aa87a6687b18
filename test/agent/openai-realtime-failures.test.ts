// Every way in which the Realtime service can fail a call, each by its name.
import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import type { AgentSettings } from '../../src/agent/agent.ts'
import { createConnectAgent } from '../../src/agent/connect-agent.ts'
import { realClock } from '../../src/runtime/clock.ts'
import { VirtualClock } from '../../src/runtime/virtual-clock.ts'
import { FakeCallLeg } from './fake-call-leg.ts'
import { openRealtimeStandIn, type StandInOptions } from './realtime-stand-in.ts'
import { toneSpeech } from './scripted-speech.ts'
import { openSocketServer } from './socket-server.ts'

const timeout = 30_000

test('an agent without a key is not even tried', async () => {
  await assert.rejects(reach({ baseUrl: 'ws://127.0.0.1:1' }), /no API key/)
})

test('a refused key is named by its status, and never printed', { timeout }, async t => {
  const server = await openSocketServer(
    () => {},
    socket => socket.end('HTTP/1.1 401 Unauthorized\r\nContent-Length: 0\r\n\r\n') !== null,
  )
  t.after(server.close)
  await assert.rejects(reach({ baseUrl: server.url, apiKey: 'sk-secret' }), error => {
    assert.match((error as Error).message, /status 401/)
    assert.equal((error as Error).message.includes('sk-secret'), false)
    return true
  })
})

test('a service that never takes the session is given up at its time-out', { timeout }, async t => {
  const service = await openRealtimeStandIn({ ignoresSession: true })
  t.after(service.close)
  const clock = new VirtualClock(0)
  const reached = reach({ baseUrl: service.url, apiKey: 'key', connectTimeoutMs: 2_000 }, clock)
  const refused = assert.rejects(reached, /did not take our session in time/)
  const session = await service.session()
  await session.peer.message(message => message.type === 'session.update')
  await clock.run({ until: 2_000 })
  await refused
})

test('a service that refuses the session, or closes before it is ready, cannot be reached', {
  timeout,
}, async t => {
  const service = await openRealtimeStandIn({ ignoresSession: true })
  t.after(service.close)
  const refused = assert.rejects(
    reach({ baseUrl: service.url, apiKey: 'key' }),
    /reports an error: invalid_value/,
  )
  ;(await service.session(0)).event('error', {
    error: { type: 'invalid_request_error', code: 'invalid_value' },
  })
  await refused
  const closed = assert.rejects(reach({ baseUrl: service.url, apiKey: 'key' }), /closed the connection/)
  ;(await service.session(1)).peer.socket.close(1000)
  await closed
})

test('a connection that ends in the middle of a call fails it, however orderly', { timeout }, async t => {
  for (const end of ['close', 'terminate'] as const) {
    const { leg, session } = await onCall(t)
    session.peer.socket[end]()
    await leg.until(() => leg.failures.length > 0)
    assert.match(leg.failures[0]!, /closed the connection|broke off/)
  }
})

test('errors that end a session fail the call, others do not', { timeout }, async t => {
  const { leg, session } = await onCall(t)
  session.event('error', { error: { type: 'invalid_request_error', code: 'item_truncate_invalid_item_id' } })
  session.event('error', {
    error: { type: 'invalid_request_error', code: 'session_expired', message: 'secret' },
  })
  await leg.until(() => leg.failures.length > 0)
  assert.deepEqual(leg.failures, ['The agent reports an error: session_expired.'])
})

test('a response that the service could not give fails the call with its code', { timeout }, async t => {
  const { leg, session } = await onCall(t)
  session.endResponse('resp_2', 'failed', 'insufficient_quota')
  await leg.until(() => leg.failures.length > 0)
  assert.deepEqual(leg.failures, ['The agent could not answer: insufficient_quota.'])
})

test('a service that was to speak first and says nothing fails the call', { timeout }, async t => {
  const clock = new VirtualClock(0)
  const { leg } = await onCall(t, { firstAudioTimeoutMs: 5_000 }, clock)
  await clock.run({ until: 5_000 })
  assert.match(leg.failures[0]!, /said nothing for 5000 ms/)
})

test('a flood of audio fails the call, garbage too, and events without their fields do no harm', {
  timeout,
}, async t => {
  const flooded = await onCall(t)
  const minute = new Uint8Array(8_000 * 60)
  for (let n = 0; n < 12; n++) flooded.session.say('resp_2', 'item_a', minute)
  await flooded.leg.until(() => flooded.leg.failures.length > 0)
  assert.match(flooded.leg.failures[0]!, /too far ahead/)
  const { leg, session } = await onCall(t)
  for (const type of [
    'response.output_audio.delta',
    'response.done',
    'response.output_item.added',
    'response.function_call_arguments.done',
    'toString',
    '__proto__',
  ]) {
    session.event(type)
    session.event(type, { delta: 7, item: 'x', response: null })
  }
  for (let n = 0; n < 50; n++) session.peer.socket.send('garbage')
  await leg.until(() => leg.failures.length > 0)
  assert.match(leg.failures[0]!, /no JSON/)
})

function reach(settings: Record<string, unknown>, clock: VirtualClock | typeof realClock = realClock) {
  const all = { kind: 'openai-realtime', ...settings } as AgentSettings
  return createConnectAgent({ clock, speech: toneSpeech })(new FakeCallLeg(), all)
}

async function onCall(
  t: TestContext,
  settings: Record<string, unknown> = {},
  clock: VirtualClock | typeof realClock = realClock,
  options: StandInOptions = {},
) {
  const service = await openRealtimeStandIn(options)
  t.after(service.close)
  const leg = new FakeCallLeg()
  const all = { kind: 'openai-realtime', baseUrl: service.url, apiKey: 'key', ...settings } as AgentSettings
  leg.session = await createConnectAgent({ clock, speech: toneSpeech })(leg, all)
  t.after(() => leg.session?.close())
  leg.session.answered()
  const session = await service.session()
  await session.peer.message(message => message.type === 'response.create')
  return { leg, session }
}
