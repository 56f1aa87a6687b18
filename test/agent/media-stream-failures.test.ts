// Every way in which a bot can die is told apart, in one sentence, and ends in the call's failure.
import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import type { AgentSettings } from '../../src/agent/agent.ts'
import { createConnectAgent } from '../../src/agent/connect-agent.ts'
import { realClock } from '../../src/runtime/clock.ts'
import { VirtualClock } from '../../src/runtime/virtual-clock.ts'
import { FakeCallLeg } from './fake-call-leg.ts'
import { toneOf, toneSpeech } from './scripted-speech.ts'
import { openSilentListener } from './silent-listener.ts'
import { type Message, openSocketServer, type Peer } from './socket-server.ts'

const connect = createConnectAgent({ clock: realClock, speech: toneSpeech })
const timeout = 60_000
const secret = 'key-in-the-url'

test('an agent whose port is closed cannot be reached', { timeout }, async () => {
  const { port, close } = await openSilentListener()
  await close()
  await assert.rejects(reach(`ws://127.0.0.1:${port}/?token=${secret}`), sentence(/ECONNREFUSED/))
})

test('an agent whose host does not exist cannot be reached', { timeout }, async () => {
  await assert.rejects(reach(`ws://no-such-host.invalid/?token=${secret}`), sentence(/ENOTFOUND|EAI_AGAIN/))
})

for (const status of [301, 401, 403, 500, 503]) {
  test(`an agent that answers the handshake with ${status} is named with it`, { timeout }, async t => {
    const server = await openSocketServer(
      () => {},
      socket => socket.end(`HTTP/1.1 ${status} No\r\nLocation: ws://x\r\nContent-Length: 0\r\n\r\n`) !== null,
    )
    t.after(server.close)
    await assert.rejects(reach(`${server.url}/?token=${secret}`), sentence(new RegExp(`status ${status}`)))
  })
}

test('an agent that speaks no HTTP cannot be reached', { timeout }, async t => {
  const server = await openSocketServer(
    () => {},
    socket => socket.end('SSH-2.0-OpenSSH_9.2\r\n') !== null,
  )
  t.after(server.close)
  await assert.rejects(reach(`${server.url}/?token=${secret}`), sentence(/cannot be used/))
})

test('an agent that never answers the handshake is given up at its time-out', { timeout }, async t => {
  const listener = await openSilentListener()
  t.after(listener.close)
  const clock = new VirtualClock(0)
  const url = `ws://127.0.0.1:${listener.port}/?token=${secret}`
  const settings = { kind: 'media-stream' as const, url, connectTimeoutMs: 3_000 }
  const reached = createConnectAgent({ clock, speech: toneSpeech })(new FakeCallLeg(), settings)
  const refused = assert.rejects(reached, sentence(/did not answer within 3000 ms/))
  await listener.approached
  await clock.run({ until: 2_999 })
  await clock.run({ until: 3_000 })
  await refused
})

test('an agent that breaks off, or is shut down, in the middle of a call fails the call', {
  timeout,
}, async t => {
  const endings: [(peer: Peer) => void, RegExp][] = [
    [peer => peer.socket.terminate(), /1006/],
    [peer => peer.socket.close(1001), /1001/],
    [peer => peer.socket.close(1011, 'crashed'), /1011/],
    [peer => peer.socket.close(1012), /1012/],
  ]
  for (const [end, words] of endings) {
    const { leg, peer } = await onCall(t)
    end(peer)
    await leg.until(() => leg.failures.length > 0)
    assert.match(leg.failures[0]!, words)
    assert.equal(leg.hungUp, null)
  }
})

test('an agent that closes while the telephone still rings fails the call', { timeout }, async t => {
  const { leg, peer } = await onCall(t, { answer: false })
  peer.socket.close(1000)
  await leg.until(() => leg.failures.length > 0)
  assert.match(leg.failures[0]!, /before the call was answered/)
})

test('an agent that sends garbage without end fails the call', { timeout }, async t => {
  for (const garbage of ['{ no json', '[]', 'null', Buffer.from([0, 1])]) {
    const { leg, peer } = await onCall(t)
    for (let n = 0; n < 50; n++) peer.socket.send(garbage)
    await leg.until(() => leg.failures.length > 0)
    assert.match(leg.failures[0]!, /no JSON/)
    assert.equal(leg.failures.length, 1)
  }
})

test('an agent that talks nonsense from its first moment is let go', { timeout }, async t => {
  const server = await openSocketServer(peer => {
    for (let n = 0; n < 50; n++) peer.send({ event: 'media', media: {} })
  })
  t.after(server.close)
  const leg = new FakeCallLeg()
  leg.session = await connect(leg, { kind: 'media-stream', url: server.url })
  await leg.until(() => leg.failures.length > 0)
  leg.session.close()
  await (await server.peer(0)).closed
  assert.equal(leg.failures.length, 1)
})

test('an agent whose media cannot be read fails the call', { timeout }, async t => {
  for (const media of [{}, { payload: 7 }, { payload: '?????' }]) {
    const { leg, peer } = await onCall(t)
    for (let n = 0; n < 50; n++) peer.send({ event: 'media', media })
    await leg.until(() => leg.failures.length > 0)
    assert.match(leg.failures[0]!, /cannot be read/)
  }
})

test('an agent that floods the line with audio fails the call, and memory stays bounded', {
  timeout,
}, async t => {
  const { leg, peer } = await onCall(t)
  const minute = mediaOf(new Uint8Array(8_000 * 60))
  for (let n = 0; n < 30; n++) peer.send(minute)
  await leg.until(() => leg.failures.length > 0)
  assert.match(leg.failures[0]!, /too far ahead/)
  assert.equal(leg.queuedMs() <= 10 * 60_000, true)
})

test('an agent that sends one message without end fails the call', { timeout }, async t => {
  const { leg, peer } = await onCall(t)
  peer.socket.send('x'.repeat(9 * 1024 * 1024))
  await leg.until(() => leg.failures.length > 0)
  assert.match(leg.failures[0]!, /cannot be used/)
})

test('an agent that sends marks without end fails the call', { timeout }, async t => {
  const { leg, peer } = await onCall(t)
  peer.send(mediaOf(toneOf('Wait.')))
  for (let n = 0; n < 20_050; n++) peer.send({ event: 'mark', mark: { name: `${n}` } })
  await leg.until(() => leg.failures.length > 0)
  assert.match(leg.failures[0]!, /marks without end|floods/)
})

test('an agent that says nothing after the answer fails the call at its time-out', { timeout }, async t => {
  const clock = new VirtualClock(0)
  const { leg } = await onCall(t, { clock, settings: { firstAudioTimeoutMs: 5_000 } })
  await clock.run({ until: 4_999 })
  assert.deepEqual(leg.failures, [])
  await clock.run({ until: 5_000 })
  assert.match(leg.failures[0]!, /said nothing for 5000 ms/)
})

test('an agent that has spoken may be silent for as long as it likes', { timeout }, async t => {
  const clock = new VirtualClock(0)
  const { leg, peer } = await onCall(t, { clock, settings: { firstAudioTimeoutMs: 5_000 } })
  peer.send(mediaOf(toneOf('Hm.')))
  await leg.until(() => leg.queuedMs() > 0)
  const pinged = new Promise(resolve => peer.socket.once('ping', resolve))
  await clock.run({ until: 10_000 })
  await pinged
  assert.deepEqual(leg.failures, [])
  leg.session?.close()
})

test('an agent whose machine is gone is noticed by its silence to pings', { timeout }, async t => {
  const clock = new VirtualClock(0)
  const { leg, peer } = await onCall(t, { clock, settings: { firstAudioTimeoutMs: null } })
  // Nothing is read any more, as when a cable is cut: no pong goes out.
  peer.socket.pause()
  await clock.run({ until: 30_000 })
  assert.match(leg.failures[0]!, /stopped answering/)
})

test('an agent that reads nothing fails the call before its backlog grows large', { timeout }, async t => {
  const { leg, peer } = await onCall(t, { settings: { frameMs: 200 } })
  peer.socket.pause()
  await leg.passUntil(() => leg.failures.length > 0)
  assert.match(leg.failures[0]!, /does not read/)
})

function reach(url: string): Promise<unknown> {
  return connect(new FakeCallLeg(), { kind: 'media-stream', url })
}

/** One sentence, without what the URL holds. */
function sentence(pattern: RegExp) {
  return (error: unknown) => {
    const { message } = error as Error
    assert.match(message, pattern)
    assert.match(message, /^[A-Z].*\.$/)
    assert.equal(message.includes(secret), false)
    return true
  }
}

interface CallOptions {
  clock?: VirtualClock
  settings?: Record<string, unknown>
  answer?: boolean
}

async function onCall(t: TestContext, { clock, settings = {}, answer = true }: CallOptions = {}) {
  const server = await openSocketServer(() => {})
  t.after(server.close)
  const leg = new FakeCallLeg()
  const connectAgent = clock === undefined ? connect : createConnectAgent({ clock, speech: toneSpeech })
  const all = { kind: 'media-stream', url: server.url, ...settings } as AgentSettings
  leg.session = await connectAgent(leg, all)
  t.after(() => leg.session?.close())
  const peer = await server.peer(0)
  if (answer) {
    leg.session.answered()
    await peer.message((message: Message) => message.event === 'start')
  }
  return { leg, peer }
}

function mediaOf(audio: Uint8Array): object {
  return { event: 'media', media: { payload: Buffer.from(audio).toString('base64') } }
}
