// Media Streams: what a bot that was built for Twilio sees, message for message.
import assert from 'node:assert/strict'
import { createHmac } from 'node:crypto'
import { test } from 'node:test'
import type { AgentSettings } from '../../src/agent/agent.ts'
import { createConnectAgent } from '../../src/agent/connect-agent.ts'
import { realClock } from '../../src/runtime/clock.ts'
import { agentConformance } from './agent-conformance.ts'
import { FakeCallLeg, isAudible } from './fake-call-leg.ts'
import { toneOf, toneSpeech } from './scripted-speech.ts'
import { type Message, openSocketServer, type Peer } from './socket-server.ts'

const connect = createConnectAgent({ clock: realClock, speech: toneSpeech })
const timeout = 30_000

/** A bot that says hello as soon as its stream starts. */
async function openGreeter() {
  const server = await openSocketServer(async peer => {
    await peer.message(isEvent('start'))
    peer.send(mediaOf(toneOf('Hello.')))
  })
  return { server, settings: { kind: 'media-stream' as const, url: `${server.url}/bot` } }
}

agentConformance('media-stream', async () => {
  const { server, settings } = await openGreeter()
  return {
    connect,
    settings,
    breakOff: () => server.peers[0]!.socket.terminate(),
    async speakAgain() {
      const peer = server.peers[0]!
      if (peer.socket.readyState === peer.socket.OPEN) peer.send(mediaOf(toneOf('More.')))
      await peer.closed
    },
    close: server.close,
  }
})

test('a stream opens with connected and start, in the words and types of Twilio', { timeout }, async t => {
  const { leg, peer, close } = await onCall(
    { parameters: { greeting: 'Hello {{ Name }}' } },
    { Name: 'Maria', age: 41, tags: ['a'] },
  )
  t.after(close)
  const [connected, start] = [peer.received[0]!, await peer.message(isEvent('start'))]
  assert.deepEqual(connected, { event: 'connected', protocol: 'Call', version: '1.0.0' })
  const { streamSid } = start
  const { callSid, accountSid, ...rest } = start.start as Message
  assert.match(`${streamSid} ${callSid} ${accountSid}`, /^MZ[0-9a-f]{32} CA[0-9a-f]{32} AC[0-9a-f]{32}$/)
  assert.deepEqual(rest, {
    streamSid,
    tracks: ['inbound'],
    customParameters: { Name: 'Maria', age: '41', tags: '["a"]', greeting: 'Hello Maria' },
    mediaFormat: { encoding: 'audio/x-mulaw', sampleRate: 8000, channels: 1 },
  })
  assert.deepEqual(Object.keys(start).sort(), ['event', 'sequenceNumber', 'start', 'streamSid'])
  assert.equal(start.sequenceNumber, '1')
  leg.session?.close()
})

test('nothing is sent before the answer, and the stream begins at zero', { timeout }, async t => {
  const { leg, peer, close } = await onCall({}, {}, { answer: false })
  t.after(close)
  leg.pass(3_000)
  leg.session?.keyPressed('1')
  leg.session?.answered()
  leg.pass(20)
  const media = await peer.message(isEvent('media'))
  assert.deepEqual(
    peer.received.map(({ event }) => event),
    ['connected', 'start', 'media'],
  )
  assert.equal((media.media as Message).timestamp, '0')
  leg.session?.close()
})

test('the person is heard in 20 ms of base64 µ-law, numbered and stamped in strings', {
  timeout,
}, async t => {
  const { leg, peer, close } = await onCall({})
  t.after(close)
  const frame = new Uint8Array(160)
  for (let n = 0; n < 3; n++) leg.pass(20, frame.fill(n))
  leg.session?.keyPressed('7')
  const dtmf = await peer.message(isEvent('dtmf'))
  assert.deepEqual(dtmf.dtmf, { track: 'inbound_track', digit: '7' })
  assert.equal(dtmf.sequenceNumber, '5')
  const media = peer.received.filter(isEvent('media'))
  assert.deepEqual(media[2], {
    event: 'media',
    sequenceNumber: '4',
    media: {
      track: 'inbound',
      chunk: '3',
      timestamp: '40',
      payload: Buffer.alloc(160, 2).toString('base64'),
    },
    streamSid: dtmf.streamSid,
  })
  leg.session?.close()
})

test('larger frames carry the same audio in fewer messages', { timeout }, async t => {
  const { leg, peer, close } = await onCall({ frameMs: 100 })
  t.after(close)
  leg.pass(300)
  leg.session?.keyPressed('1')
  await peer.message(isEvent('dtmf'))
  const media = peer.received.filter(isEvent('media')).map(message => message.media as Message)
  assert.deepEqual(
    media.map(({ timestamp }) => timestamp),
    ['0', '100', '200'],
  )
  assert.equal(Buffer.from(media[0]!.payload as string, 'base64').length, 800)
  leg.session?.close()
})

test('audio of any size is queued, and a mark comes back when all before it has been played', {
  timeout,
}, async t => {
  const { leg, peer, close } = await onCall({})
  t.after(close)
  peer.send(mediaOf(new Uint8Array(1_000).fill(1)))
  peer.send(mediaOf(new Uint8Array(601).fill(2)))
  peer.send({ event: 'mark', streamSid: 'any', mark: { name: 'first' } })
  peer.send(mediaOf(new Uint8Array(160).fill(3)))
  peer.send({ event: 'mark', mark: { name: 'second' } })
  await leg.until(() => leg.deeds.includes('mark second'))
  leg.pass(200)
  leg.pass(20)
  leg.session?.keyPressed('1')
  await peer.message(isEvent('dtmf'))
  assert.deepEqual(namesOfMarks(peer), [])
  leg.pass(20)
  await peer.message(isEvent('mark'))
  assert.deepEqual(namesOfMarks(peer), ['first'])
  leg.pass(20)
  await peer.message(message => isEvent('mark')(message) && (message.mark as Message).name === 'second')
  leg.session?.close()
})

test('clear drops what was not played and returns its marks at once', { timeout }, async t => {
  const { leg, peer, close } = await onCall({})
  t.after(close)
  peer.send(mediaOf(toneOf('A long sentence that is interrupted.')))
  peer.send({ event: 'mark', mark: { name: 'end' } })
  await leg.until(() => leg.deeds.includes('mark end'))
  leg.pass(100)
  peer.send({ event: 'clear' })
  await peer.message(isEvent('mark'))
  assert.equal(leg.queuedMs(), 0)
  assert.equal(leg.playedMs(), 100)
  leg.session?.close()
})

test('unknown events and a few broken messages are passed over', { timeout }, async t => {
  const { leg, peer, close } = await onCall({})
  t.after(close)
  peer.send({ event: 'sparkle', sparkle: {} })
  peer.send({ event: 'media' })
  peer.send({ event: 'media', media: { payload: 'not base64 !' } })
  peer.socket.send('{ not json')
  peer.socket.send(Buffer.from([1, 2, 3]))
  peer.send(mediaOf(toneOf('Still here.')))
  await leg.until(() => leg.queuedMs() > 0)
  assert.deepEqual(leg.failures, [])
  leg.session?.close()
})

test('an agent that closes the connection hangs up when its last words have been heard', {
  timeout,
}, async t => {
  for (const code of [1000, undefined]) {
    const { leg, peer, close } = await onCall({})
    t.after(close)
    peer.send(mediaOf(toneOf('Goodbye.')))
    peer.socket.close(code)
    await leg.until(() => leg.hungUp !== null)
    assert.equal(leg.hungUp, 'when-played')
    assert.equal(leg.queuedMs() > 0, true)
    assert.deepEqual(leg.failures, [])
    leg.session?.close()
  }
})

test('the end of the call is told by stop and an orderly close', { timeout }, async t => {
  const { leg, peer, close } = await onCall({})
  t.after(close)
  leg.session?.close()
  assert.equal(await peer.closed, 1000)
  const stop = peer.received.at(-1)!
  const start = peer.received[1]!.start as Message
  assert.equal(stop.event, 'stop')
  assert.deepEqual(stop.stop, { accountSid: start.accountSid, callSid: start.callSid })
})

test('the handshake is signed as Twilio signs it, and carries the headers of the settings', {
  timeout,
}, async t => {
  const headers = { Authorization: 'Bearer abc' }
  const { leg, peer, settings, close } = await onCall({ authToken: 'secret', headers })
  t.after(close)
  const expected = createHmac('sha1', 'secret').update(settings.url).digest('base64')
  assert.equal(peer.request.headers['x-twilio-signature'], expected)
  assert.equal(peer.request.headers.authorization, 'Bearer abc')
  leg.session?.close()
})

test('the person hears every byte that the bot sent, in order', { timeout }, async t => {
  const { leg, peer, close } = await onCall({})
  t.after(close)
  const speech = toneOf('Some words that take a little while.')
  for (let at = 0; at < speech.length; at += 333) peer.send(mediaOf(speech.subarray(at, at + 333)))
  peer.send({ event: 'mark', mark: { name: 'end' } })
  await leg.until(() => leg.deeds.includes('mark end'))
  leg.pass(speech.length / 8)
  assert.equal(isAudible(leg.audio()), true)
  assert.equal(Buffer.from(leg.audio()).indexOf(speech), 0)
  leg.session?.close()
})

async function onCall(
  extra: Record<string, unknown>,
  variables: Record<string, unknown> = {},
  { answer = true } = {},
) {
  const server = await openSocketServer(() => {})
  const settings = { kind: 'media-stream' as const, url: `${server.url}/bot?token=1`, ...extra }
  const leg = new FakeCallLeg({ variables })
  leg.session = await connect(leg, settings as AgentSettings)
  const peer = await server.peer(0)
  if (answer) {
    leg.session.answered()
    await peer.message(isEvent('start'))
  }
  return { leg, peer, settings, close: server.close }
}

function isEvent(event: string) {
  return (message: Message) => message.event === event
}

function mediaOf(audio: Uint8Array): object {
  return { event: 'media', streamSid: 'MZ0', media: { payload: Buffer.from(audio).toString('base64') } }
}

function namesOfMarks(peer: Peer): unknown[] {
  return peer.received.filter(isEvent('mark')).map(message => (message.mark as Message).name)
}
