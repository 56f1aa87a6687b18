// The Realtime adapter against a stand-in that was written from the published schema: words, keys, barge-in and tools.
import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import fc from 'fast-check'
import type { AgentSettings } from '../../src/agent/agent.ts'
import { createConnectAgent } from '../../src/agent/connect-agent.ts'
import { createSpokenItems } from '../../src/agent/openai-realtime/spoken-items.ts'
import { realClock } from '../../src/runtime/clock.ts'
import { agentConformance } from './agent-conformance.ts'
import { FakeCallLeg } from './fake-call-leg.ts'
import { openRealtimeStandIn } from './realtime-stand-in.ts'
import { toneOf, toneSpeech } from './scripted-speech.ts'
import type { Message } from './socket-server.ts'

const connect = createConnectAgent({ clock: realClock, speech: toneSpeech })
const timeout = 30_000
const second = 8_000

agentConformance('openai-realtime', async () => {
  const service = await openRealtimeStandIn({ words: toneOf('Hello there.') })
  return {
    connect,
    settings: { kind: 'openai-realtime', baseUrl: service.url, apiKey: 'key' },
    breakOff: () => service.sessions[0]!.peer.socket.terminate(),
    async speakAgain() {
      const session = service.sessions[0]!
      session.say('resp_x', 'item_x', toneOf('More.'))
      await session.peer.closed
    },
    close: service.close,
  }
})

test('the session is asked for in GA names, with G.711, instructions and tools', { timeout }, async t => {
  const { session } = await onCall(t, {
    instructions: 'You call {{name}}.',
    voice: 'cedar',
    model: 'gpt-realtime-mini',
    answer: false,
  })
  assert.equal(session.peer.request.url, '/v1/realtime?model=gpt-realtime-mini')
  assert.equal(session.peer.request.headers.authorization, 'Bearer key')
  const update = session.peer.received[0]!.session as Message
  assert.equal(update.instructions, 'You call Maria.')
  assert.deepEqual(update.audio, {
    input: {
      format: { type: 'audio/pcmu' },
      turn_detection: { type: 'server_vad' },
      transcription: { model: 'gpt-4o-mini-transcribe' },
    },
    output: { format: { type: 'audio/pcmu' }, voice: 'cedar' },
  })
  assert.deepEqual(
    (update.tools as Message[]).map(({ name }) => name),
    ['end_call', 'press_keys', 'do_not_call_again', 'set_results'],
  )
  assert.deepEqual(session.faults, [])
})

test('the agent speaks first, in the words of the first message, and only after the answer', {
  timeout,
}, async t => {
  const { leg, session } = await onCall(t, { firstMessage: 'Hello {{name}}!', answer: false })
  leg.pass(1_000)
  leg.session?.answered()
  leg.pass(20)
  await session.peer.message(isType('input_audio_buffer.append'))
  const types = session.peer.received.map(({ type }) => type)
  assert.deepEqual(types, ['session.update', 'response.create', 'input_audio_buffer.append'])
  const { instructions } = session.peer.received[1]!.response as Message
  assert.match(instructions as string, /"Hello Maria!"/)
})

test('the person is heard in frames of the chosen length', { timeout }, async t => {
  const { leg, session } = await onCall(t, { frameMs: 60 })
  leg.pass(60, new Uint8Array(160).fill(7))
  const append = await session.peer.message(isType('input_audio_buffer.append'))
  assert.deepEqual(Buffer.from(append.audio as string, 'base64'), Buffer.alloc(480, 7))
})

test('who talks over the agent silences it, and the service learns what was heard of it', {
  timeout,
}, async t => {
  const { leg, session } = await onCall(t)
  const response = await firstResponse(session)
  session.say(response, 'item_a', new Uint8Array(3 * second).fill(1))
  await leg.until(() => leg.queuedMs() === 3_000)
  leg.pass(1_200)
  session.startSpeech()
  const truncate = await session.peer.message(isType('conversation.item.truncate'))
  assert.deepEqual(truncate, {
    type: 'conversation.item.truncate',
    item_id: 'item_a',
    content_index: 0,
    audio_end_ms: 1_200,
  })
  assert.equal(leg.queuedMs(), 0)
  // What was on its way is dropped, what comes next is heard.
  session.say(response, 'item_a', new Uint8Array(second).fill(2))
  session.say(session.beginResponse(), 'item_b', new Uint8Array(second).fill(3))
  await leg.until(() => leg.queuedMs() > 0)
  leg.pass(1_000)
  assert.equal(leg.audio().includes(2), false)
  assert.equal(leg.audio().includes(3), true)
})

test('who speaks after the agent has ended truncates nothing', { timeout }, async t => {
  const { leg, session } = await onCall(t)
  const response = await firstResponse(session)
  session.say(response, 'item_a', new Uint8Array(second))
  session.endResponse(response)
  await leg.until(() => leg.queuedMs() === 1_000)
  leg.pass(1_200)
  session.startSpeech()
  session.callFunction('resp_x', 'set_results', { results: { a: 1 } })
  await session.peer.message(isType('conversation.item.create'))
  assert.equal(session.peer.received.some(isType('conversation.item.truncate')), false)
  assert.equal(leg.deeds.includes('clear'), false)
})

test('the agent hangs up by its tool, when its goodbye has been heard', { timeout }, async t => {
  const { leg, session } = await onCall(t)
  const response = await firstResponse(session)
  session.callFunction(response, 'end_call', {})
  session.say(response, 'item_a', toneOf('Goodbye.'))
  session.endResponse(response)
  await leg.until(() => leg.hungUp !== null)
  assert.deepEqual([leg.hungUp, leg.queuedMs() > 0, leg.failures], ['when-played', true, []])
  assert.equal(await session.peer.closed, 1000)
})

test('tools press keys, keep results and put the number on the suppression list', { timeout }, async t => {
  const { leg, session } = await onCall(t)
  const response = await firstResponse(session)
  session.callFunction(response, 'set_results', { results: { mood: 'good', score: 4 } })
  session.callFunction(response, 'press_keys', { keys: '12#' })
  session.callFunction(response, 'do_not_call_again', {})
  await leg.until(() => leg.optedOut)
  leg.pass(20)
  assert.deepEqual([leg.results, leg.keys], [{ mood: 'good', score: 4 }, '12#'])
  // The agent goes on when its response has ended, once, and not before: the service refuses a second one.
  session.endResponse(response)
  await session.peer.message(() => session.peer.received.filter(isType('response.create')).length === 2)
  assert.deepEqual(session.faults, [])
})

test('a tool that is used wrongly is told so and does nothing', { timeout }, async t => {
  const { leg, session } = await onCall(t)
  const response = await firstResponse(session)
  const wrong: [string, object][] = [
    ['press_keys', { keys: 'call me' }],
    ['set_results', { results: [1] }],
    ['set_results', { results: Object.fromEntries(Array.from({ length: 101 }, (_, n) => [n, n])) }],
    ['no_such_tool', {}],
  ]
  for (const [name, args] of wrong) session.callFunction(response, name, args)
  await session.peer.message(() => outputs(session.peer.received).length === wrong.length)
  assert.equal(outputs(session.peer.received).includes('ok'), false)
  assert.deepEqual([leg.keys, leg.results, leg.failures], ['', {}, []])
})

test("the beta's names are read as well", { timeout }, async t => {
  const { leg, session } = await onCall(t)
  const place = { item_id: 'item_a', content_index: 0 }
  session.event('response.audio.delta', { ...place, delta: Buffer.alloc(800, 1).toString('base64') })
  session.event('response.audio_transcript.done', { ...place, transcript: 'Hello.' })
  session.event('response.output_item.added', {
    item: { id: 'f', type: 'function_call', name: 'do_not_call_again' },
  })
  session.event('response.function_call_arguments.done', { item_id: 'f', call_id: 'c', arguments: '{}' })
  await leg.until(() => leg.optedOut)
  assert.equal(leg.queuedMs(), 100)
  assert.equal(leg.transcript[0]?.message, 'Hello.')
})

test('what both sides said stands in the transcript', { timeout }, async t => {
  const { leg, session } = await onCall(t)
  session.event('response.output_audio_transcript.done', { transcript: 'Is this Maria? ' })
  session.event('conversation.item.input_audio_transcription.completed', { transcript: 'Yes.' })
  session.event('conversation.item.input_audio_transcription.completed', { transcript: ' ' })
  await leg.until(() => leg.transcript.length === 2)
  assert.deepEqual(
    leg.transcript.map(({ role, message }) => `${role}: ${message}`),
    ['agent: Is this Maria?', 'human: Yes.'],
  )
})

test('keys that the person presses are told to the agent together, after a pause', { timeout }, async t => {
  const { leg, session } = await onCall(t)
  session.endResponse(await firstResponse(session))
  for (const key of '471') {
    leg.session?.keyPressed(key)
    leg.pass(300)
  }
  leg.pass(1_000)
  const created = await session.peer.message(isType('conversation.item.create'))
  const { content } = created.item as { content: { text: string }[] }
  assert.match(content[0]!.text, /471$/)
  await session.peer.message(() => session.peer.received.filter(isType('response.create')).length >= 2)
})

test('the part of an item that was heard is never more than was played or queued of it', () => {
  const step = fc.record({ item: fc.nat(3), queueMs: fc.nat(2_000), playMs: fc.nat(2_000) })
  fc.assert(
    fc.property(fc.array(step, { maxLength: 30 }), steps => {
      const items = createSpokenItems()
      let played = 0
      let waiting = 0
      const queuedOf = new Map<string, number>()
      for (const { item, queueMs, playMs } of steps) {
        items.queued(`${item}`, 0, queueMs, played)
        queuedOf.set(`${item}`, (queuedOf.get(`${item}`) ?? 0) + queueMs)
        waiting += queueMs
        const passed = Math.min(playMs, waiting)
        played += passed
        waiting -= passed
      }
      const cut = items.interrupt(played)
      assert.equal(cut.length > 0, waiting > 0)
      for (const { itemId, heardMs } of cut) {
        assert.equal(heardMs >= 0 && heardMs <= Math.min(played, queuedOf.get(itemId)!), true)
        assert.equal(items.isUnwanted(itemId), true)
      }
      assert.deepEqual(items.interrupt(played), [])
    }),
  )
})

interface CallOptions {
  answer?: boolean
  [setting: string]: unknown
}

async function onCall(t: TestContext, { answer = true, ...extra }: CallOptions = {}) {
  const service = await openRealtimeStandIn()
  t.after(service.close)
  const leg = new FakeCallLeg({ variables: { name: 'Maria' } })
  const settings = { kind: 'openai-realtime', baseUrl: service.url, apiKey: 'key', ...extra }
  leg.session = await connect(leg, settings as AgentSettings)
  t.after(() => leg.session?.close())
  if (answer) leg.session.answered()
  return { leg, session: await service.session() }
}

/** The response that the agent asked for when the person answered. */
async function firstResponse(session: {
  peer: { message(holds: (m: Message) => boolean): Promise<Message> }
}) {
  await session.peer.message(isType('response.create'))
  return 'resp_2'
}

function isType(type: string) {
  return (message: Message) => message.type === type
}

function outputs(received: readonly Message[]): unknown[] {
  return received
    .map(({ item }) => item as Message | undefined)
    .filter(item => item?.type === 'function_call_output')
    .map(item => item?.output)
}
