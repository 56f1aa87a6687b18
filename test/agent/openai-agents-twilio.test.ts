// A Media Streams agent that nobody here wrote: the Twilio transport of @openai/agents-extensions, as published, answers a
// call of ours. Behind it stands our stand-in for OpenAI's service, since the real one needs a key.
import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { createConnectAgent } from '../../src/agent/connect-agent.ts'
import { realClock } from '../../src/runtime/clock.ts'
import { FakeCallLeg, silence } from './fake-call-leg.ts'
import { openRealtimeStandIn } from './realtime-stand-in.ts'
import { toneSpeech } from './scripted-speech.ts'
import { type Message, openSocketServer } from './socket-server.ts'

const timeout = 60_000
const published = await loadPublished()
/** On CI an absent package is a failure, not a reason to pass over the proof. */
const skip =
  published === null && process.env.CI !== 'true' && '@openai/agents-extensions is not installed: npm install'
const connect = createConnectAgent({ clock: realClock, speech: toneSpeech })
const deltaMs = 200
const deltaBytes = deltaMs * 8

test('the bot hears the person and the person hears the bot, byte for byte', { timeout, skip }, async t => {
  const { leg, service } = await onCall(t)
  const words = Uint8Array.from({ length: 8_000 }, (_, sample) => sample % 251)
  for (let at = 0; at < words.length; at += 160) leg.pass(20, words.subarray(at, at + 160))
  const heard = () => Buffer.concat(appended(service.peer.received))
  await service.peer.message(() => heard().includes(words))

  const response = service.beginResponse()
  for (let n = 1; n <= 5; n++) service.say(response, 'item_a', new Uint8Array(deltaBytes).fill(n))
  service.event('response.output_audio.done', {
    response_id: response,
    item_id: 'item_a',
    output_index: 0,
    content_index: 0,
  })
  service.endResponse(response)
  await leg.until(() => leg.deeds.filter(deed => deed.startsWith('mark done:item_a')).length === 1)
  const before = leg.heard.length
  leg.pass(5 * deltaMs)
  const said = Buffer.concat([1, 2, 3, 4, 5].map(n => Buffer.alloc(deltaBytes, n)))
  assert.equal(Buffer.concat(leg.heard.slice(before)).equals(said), true)
  assert.deepEqual(leg.failures, [])
})

test('when the person talks over the bot, our marks tell it how much was heard', {
  timeout,
  skip,
}, async t => {
  const { leg, service, bot } = await onCall(t)
  const response = service.beginResponse()
  for (let n = 1; n <= 10; n++) service.say(response, 'item_a', new Uint8Array(deltaBytes).fill(n))
  await leg.until(() => marks(leg).length === 10)
  // Five of ten marks come back: they are told with the frame after their audio.
  leg.pass(5 * deltaMs + 20)
  await bot.message(() => bot.received.filter(({ event }) => event === 'mark').length === 5)
  service.event('input_audio_buffer.speech_started', { audio_start_ms: 0, item_id: 'item_h' })
  await leg.until(() => leg.deeds.includes('clear'))
  const truncate = await service.peer.message(({ type }) => type === 'conversation.item.truncate')
  assert.deepEqual([truncate.item_id, truncate.content_index], ['item_a', 0])
  // The transport adds 50 ms for what is on its way.
  assert.equal(truncate.audio_end_ms, 5 * deltaMs + 50)
  assert.equal(leg.queuedMs(), 0)
  assert.deepEqual(leg.failures, [])
})

test('the end of the call ends the bot, and the end of the bot fails the call', {
  timeout,
  skip,
}, async t => {
  const ended = await onCall(t)
  ended.leg.session?.close()
  assert.equal(await ended.bot.closed, 1000)
  await ended.service.peer.closed
  const died = await onCall(t)
  died.bot.socket.terminate()
  await died.leg.until(() => died.leg.failures.length > 0)
  assert.match(died.leg.failures[0]!, /broke off/)
})

/** A call of ours, answered by a bot of the published transport, whose session with the stand-in is ready. */
async function onCall(t: TestContext) {
  const standIn = await openRealtimeStandIn()
  t.after(standIn.close)
  const { RealtimeAgent, RealtimeSession, TwilioRealtimeTransportLayer } = published!
  const ready = Promise.withResolvers<void>()
  const server = await openSocketServer(peer => {
    const transport = new TwilioRealtimeTransportLayer({ twilioWebSocket: peer.socket })
    const session = new RealtimeSession(new RealtimeAgent({ name: 'bot', instructions: 'Say hello.' }), {
      transport,
    })
    session.on('error', () => {})
    session
      .connect({ apiKey: 'key', url: `${standIn.url}/realtime?model=gpt-realtime` })
      .then(ready.resolve, ready.reject)
  })
  t.after(server.close)
  const leg = new FakeCallLeg()
  leg.session = await connect(leg, { kind: 'media-stream', url: server.url })
  t.after(() => leg.session?.close())
  await ready.promise
  leg.session.answered()
  leg.pass(20, silence)
  const service = await standIn.session()
  await service.peer.message(({ type }) => type === 'input_audio_buffer.append')
  return { leg, service, bot: await server.peer(0) }
}

function appended(received: readonly Message[]): Buffer[] {
  return received
    .filter(({ type }) => type === 'input_audio_buffer.append')
    .map(({ audio }) => Buffer.from(audio as string, 'base64'))
}

function marks(leg: FakeCallLeg): string[] {
  return leg.deeds.filter(deed => deed.startsWith('mark item_a'))
}

async function loadPublished() {
  try {
    const [{ RealtimeAgent, RealtimeSession }, { TwilioRealtimeTransportLayer }] = await Promise.all([
      import('@openai/agents/realtime'),
      import('@openai/agents-extensions'),
    ])
    return { RealtimeAgent, RealtimeSession, TwilioRealtimeTransportLayer }
  } catch (error) {
    if ((error as { code?: unknown }).code === 'ERR_MODULE_NOT_FOUND') return null
    throw error
  }
}
