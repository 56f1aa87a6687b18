// Agents where they live, in a media worker: a telephone of ours hears them over RTP, and they hear it.
import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import type { AgentSettings } from '../../src/agent/agent.ts'
import { openSpeech } from '../../src/agent/scripted/speech.ts'
import { plainDatagrams } from '../../src/carrier/rtp/datagrams.ts'
import type { LineEvent } from '../../src/carrier/rtp/media.ts'
import { openMediaPool } from '../../src/carrier/rtp/media-pool.ts'
import { createPacer } from '../../src/carrier/rtp/pacer.ts'
import { pcmToUlaw, ulawToPcm } from '../../src/media/g711.ts'
import { realClock as clock } from '../../src/runtime/clock.ts'
import { silentLogger } from '../../src/runtime/logger.ts'
import { alikeByParts, sweep } from '../media/sound.ts'
import { openTelephone, remoteAt, request } from '../rtp/telephone.ts'
import { type Message, openSocketServer } from './socket-server.ts'

const timeout = 120_000
const frameBytes = 160
const pacer = createPacer({ clock })
const speech = openSpeech()
const pool = await openMediaPool({
  clock,
  logger: silentLogger,
  ports: { first: 27_600, last: 27_698 },
  workers: 1,
  maxLatenessMs: 1_000,
})
after(async () => {
  pacer.close()
  await Promise.all([speech.close(), pool.close()])
})

test('a script is heard over RTP, hears a key, branches and hangs up', { timeout }, async () => {
  const { phone, line, events } = await callTo(27_700, {
    kind: 'scripted',
    steps: [
      { say: 'Hello {{name}}, this is a call to try the line.' },
      { menu: { say: 'Press one.', keys: { 1: { value: 'yes' } }, result: 'answer', timeoutMs: 60_000 } },
      { say: 'Thank you very much, and goodbye.' },
    ],
  })
  await phone.until(() => phone.frames.length > 150)
  phone.leg.pressKeys('1')
  await phone.until(() => events.length > 0)
  assert.deepEqual(events, [{ kind: 'agent-hung-up' }])
  const heard = phone.heard()
  const greeting = await firstSecondOf('Hello Maria, this is a call to try the line.')
  const goodbye = await firstSecondOf('Thank you very much, and goodbye.')
  for (const likeness of [
    alikeByParts(greeting, heard.subarray(0, 2 * greeting.length)),
    alikeByParts(goodbye, heard.subarray(-4 * goodbye.length)),
  ]) {
    assert.ok(likeness > 0.9, `likeness ${likeness}`)
  }
  const report = await line.close()
  assert.deepEqual(report.results, { answer: 'yes' })
  assert.deepEqual(
    report.transcript.map(({ role }) => role),
    ['agent', 'agent', 'human', 'agent'],
  )
})

test('a Media Streams bot hears what the telephone says, and is heard', { timeout }, async t => {
  const heard: Buffer[] = []
  const server = await openSocketServer(peer => {
    peer.socket.on('message', data => {
      const message = JSON.parse(data.toString()) as Message
      if (message.event !== 'media') return
      const { payload } = message.media as { payload: string }
      heard.push(Buffer.from(payload, 'base64'))
      peer.send({ event: 'media', media: { payload } })
    })
  })
  t.after(server.close)
  const { phone, line } = await callTo(27_702, { kind: 'media-stream', url: server.url })
  await (await server.peer(0)).message(({ event }) => event === 'media')
  const voice = sweep(8_000)
  const from = phone.frames.length
  phone.leg.play(pcmToUlaw(voice))
  await phone.until(() => phone.frames.length >= from + 100)
  for (const sound of [Buffer.concat(heard), Buffer.concat(phone.frames.slice(from))]) {
    const likeness = alikeByParts(voice, ulawToPcm(sound))
    assert.ok(likeness > 0.9, `likeness ${likeness}`)
  }
  assert.equal(heard[0]!.length, frameBytes)
  await line.close()
  assert.equal(await server.peers[0]!.closed, 1000)
})

test('an agent that cannot be reached fails its line before anybody answers', { timeout }, async () => {
  const { promise, resolve } = Promise.withResolvers<LineEvent>()
  const agent = { kind: 'media-stream' as const, url: 'ws://127.0.0.1:9/' }
  const line = await pool.open(request({ agent }), resolve)
  assert.deepEqual(await promise, {
    kind: 'agent-failed',
    reason: 'The agent at 127.0.0.1:9 cannot be used: ECONNREFUSED.',
  })
  await line.close()
})

/** A second is enough to know a sentence by. */
async function firstSecondOf(text: string): Promise<Int16Array> {
  return ulawToPcm((await speech.speak({ text, voice: 'slt', speed: 1 })).subarray(0, 8_000))
}

/** A line of the pool with the agent, and a telephone of this thread that has picked up. */
async function callTo(port: number, agent: AgentSettings) {
  const events: LineEvent[] = []
  const line = await pool.open(request({ agent, variables: { name: 'Maria' } }), event => {
    events.push(event)
  })
  const phone = await openTelephone({ clock, pacer, datagrams: plainDatagrams }, port)
  after(() => phone.line.close())
  line.connect(remoteAt(phone.port))
  phone.line.connect(remoteAt(line.port))
  line.answered()
  phone.line.answered()
  return { line, phone, events }
}
