// The user agent against SIPp: what a call goes through between the dial and its end, on real sockets.
import assert from 'node:assert/strict'
import { createSocket } from 'node:dgram'
import { once } from 'node:events'
import { test } from 'node:test'
import { peerTest, startSipp } from './peers.ts'
import { openAgent, ring } from './ringing-agent.ts'

const credentials = { username: 'trunk1', password: 's3cret' }

peerTest('a call rings, is answered and hung up by us', ['sipp'], async t => {
  const [agent, peer] = [await openAgent(t), await startSipp(t, { scenario: 'answer' })]
  const { call, answered, ended, provisional } = ring(agent, [peer.port])
  assert.match(await answered, /m=audio 6000 RTP\/AVP 0 101/)
  call.hangUp()
  const { sipStatus, answeredAt } = await ended
  assert.deepEqual([sipStatus, answeredAt !== null, provisional, await peer.done], [200, true, [180], ''])
})

peerTest('the same over TCP', ['sipp'], async t => {
  const agent = await openAgent(t)
  const peer = await startSipp(t, { scenario: 'answer', transport: 't1' })
  const { call, answered, ended } = ring(agent, [{ host: '127.0.0.1', port: peer.port, protocol: 'tcp' }])
  await answered
  call.hangUp()
  assert.deepEqual([(await ended).sipStatus, await peer.done], [200, ''])
})

peerTest('a call that rings too long is cancelled, and its 487 acknowledged', ['sipp'], async t => {
  const [agent, peer] = [await openAgent(t), await startSipp(t, { scenario: 'cancel' })]
  const { call, ringing, ended } = ring(agent, [peer.port])
  await ringing
  call.hangUp()
  assert.deepEqual([(await ended).sipStatus, await peer.done], [487, ''])
})

peerTest('a 200 that wins the race against the CANCEL is acknowledged and hung up', ['sipp'], async t => {
  const [agent, peer] = [await openAgent(t), await startSipp(t, { scenario: 'race' })]
  const { call, ringing, ended } = ring(agent, [peer.port])
  await ringing
  call.hangUp()
  const { sipStatus, answeredAt } = await ended
  assert.deepEqual([sipStatus, answeredAt !== null, await peer.done], [200, true, ''])
})

for (const [scenario, sentence] of [
  ['auth', 'a 407 and then a 401 are both answered rightly'],
  ['stale', 'a stale nonce is answered with the new one'],
] as const)
  peerTest(sentence, ['sipp'], async t => {
    const agent = await openAgent(t)
    // Both realms are answered with one user: the trunk's.
    const peer = await startSipp(t, { scenario })
    const { call, answered, ended } = ring(agent, [peer.port], { credentials })
    await Promise.race([answered, ended])
    call.hangUp()
    assert.deepEqual([await peer.done, (await ended).sipStatus], ['', 200])
  })

peerTest('a password that stays wrong ends the call with 407', ['sipp'], async t => {
  const [agent, peer] = [await openAgent(t), await startSipp(t, { scenario: 'wrong-password' })]
  const { ended } = ring(agent, [peer.port], { credentials: { ...credentials, password: 'guess' } })
  assert.deepEqual([(await ended).sipStatus, await peer.done], [407, ''])
})

peerTest('a call that they hold, resume and hang up is answered each time', ['sipp'], async t => {
  const [agent, peer] = [await openAgent(t), await startSipp(t, { scenario: 'hold' })]
  const { offers, ended } = ring(agent, [peer.port])
  const { sipStatus } = await ended
  assert.deepEqual([sipStatus, await peer.done], [200, ''])
  assert.deepEqual(
    offers.map(offer => /a=sendonly/.test(offer)),
    [true, false],
  )
})

peerTest('a re-INVITE without SDP gets our offer and its answer in the ACK', ['sipp'], async t => {
  const [agent, peer] = [await openAgent(t), await startSipp(t, { scenario: 'offerless' })]
  const answers: string[] = []
  const { ended } = ring(agent, [peer.port], {}, { answerReceived: answer => void answers.push(answer) })
  await ended
  assert.equal(await peer.done, '')
  assert.match(answers[0] ?? '', /a=sendonly/)
})

peerTest('a session is refreshed by us at half time, and by them whenever they like', ['sipp'], async t => {
  const agent = await openAgent(t, { speed: 60 })
  const peer = await startSipp(t, { scenario: 'refreshed' })
  const { ended } = ring(agent, [peer.port], { sessionSeconds: 1_800 })
  assert.deepEqual([(await ended).sipStatus, await peer.done], [200, ''])
})

peerTest('a 200 that comes again, since our ACK was lost, is acknowledged again', ['sipp'], async t => {
  const [agent, peer] = [await openAgent(t), await startSipp(t, { scenario: 'lost-ack' })]
  const { ended } = ring(agent, [peer.port])
  assert.deepEqual([(await ended).sipStatus, await peer.done], [200, ''])
})

peerTest('a call that they hang up tells their cause', ['sipp'], async t => {
  const [agent, peer] = [await openAgent(t), await startSipp(t, { scenario: 'hangs-up' })]
  const { sipStatus, q850, phrase } = await ring(agent, [peer.port]).ended
  assert.deepEqual([sipStatus, q850, phrase, await peer.done], [200, 31, 'Normal, unspecified', ''])
})

peerTest('whatever they ask within a call is answered as the RFC has it', ['sipp'], async t => {
  const [agent, peer] = [await openAgent(t), await startSipp(t, { scenario: 'asks' })]
  const asked = Promise.withResolvers<void>()
  const { call, ended } = ring(agent, [peer.port], {}, { infoReceived: () => asked.resolve() })
  await asked.promise
  call.hangUp()
  assert.equal((await ended).sipStatus, 200)
})

peerTest('early media comes with the 183, and stands when the 200 says nothing', ['sipp'], async t => {
  const [agent, peer] = [await openAgent(t), await startSipp(t, { scenario: 'early-media' })]
  const early: string[] = []
  const { call, answered, ended } = ring(
    agent,
    [peer.port],
    {},
    { provisional: (_status, sdp) => void early.push(sdp) },
  )
  assert.equal(await answered, early[0])
  call.hangUp()
  assert.deepEqual([(await ended).sipStatus, await peer.done], [200, ''])
})

peerTest('an answer without any SDP is hung up and counts as no answer', ['sipp'], async t => {
  const [agent, peer] = [await openAgent(t), await startSipp(t, { scenario: 'no-sdp' })]
  const { answeredAt, phrase } = await ring(agent, [peer.port]).ended
  assert.deepEqual([answeredAt, phrase, await peer.done], [null, 'answered without SDP', ''])
})

peerTest(
  'a closed port and a 503 lead to the third gateway, and the next call goes there at once',
  ['sipp'],
  async t => {
    const agent = await openAgent(t)
    const closed = await closedPort()
    const full = await startSipp(t, { scenario: 'unavailable' })
    const open = await startSipp(t, { scenario: 'answer', calls: 2 })
    for (const expected of [[closed, full.port], []]) {
      const { call, answered, ended } = ring(agent, [closed, full.port, open.port])
      await answered
      call.hangUp()
      assert.equal((await ended).sipStatus, 200)
      if (expected.length > 0)
        assert.deepEqual(
          agent.gateways().flatMap(({ hop, downUntil }) => (downUntil === null ? [] : [hop.port])),
          expected,
        )
    }
    assert.deepEqual([await full.done, await open.done], ['', ''])
  },
)

peerTest('a TCP port that refuses leads to the next gateway', ['sipp'], async t => {
  const [agent, peer] = [await openAgent(t), await startSipp(t, { scenario: 'answer' })]
  const refusing = { host: '127.0.0.1', port: await closedPort(), protocol: 'tcp' } as const
  const { call, answered, ended } = ring(agent, [refusing, peer.port])
  await answered
  call.hangUp()
  assert.deepEqual([(await ended).sipStatus, await peer.done], [200, ''])
})

peerTest("SIPp's own caller is refused politely", ['sipp'], async t => {
  const agent = await openAgent(t)
  const peer = await startSipp(t, { scenario: 'uac', target: `127.0.0.1:${agent.localPort('udp')}` })
  assert.match(await peer.done, /403 Forbidden/)
  assert.equal(agent.figures().serverTransactions, 0)
})

test('a gateway that hears and never answers ends the call without a status, and gets it only once', async t => {
  const agent = await openAgent(t, { speed: 100 })
  const deaf = createSocket('udp4')
  t.after(() => deaf.close())
  const heard = new Set<string>()
  deaf.on('message', bytes => heard.add(bytes.toString('utf8')))
  const port = await bind(deaf)
  const { sipStatus, phrase } = await ring(agent, [port, await closedPort()]).ended
  assert.deepEqual([sipStatus, phrase, heard.size], [null, null, 1])
})

test('a gateway that answers with garbage and with a flood of it ends the call in its time', async t => {
  const agent = await openAgent(t, { speed: 100 })
  const mad = createSocket('udp4')
  t.after(() => mad.close())
  mad.on('message', (_bytes, { port }) => {
    for (let count = 0; count < 200; count++)
      mad.send(count % 2 === 0 ? 'SIP/2.0 200 OK\r\n\r\n' : Buffer.alloc(500, count), port, '127.0.0.1')
  })
  const { sipStatus } = await ring(agent, [await bind(mad)]).ended
  assert.equal(sipStatus, null)
  assert.deepEqual(agent.figures(), { calls: 0, clientTransactions: 0, serverTransactions: 0, timers: 0 })
})

test('an unknown host ends the call with what DNS says', async t => {
  const agent = await openAgent(t)
  const { phrase } = await ring(agent, [{ host: 'no-such-host.invalid', port: 5060, protocol: 'udp' }]).ended
  assert.match(phrase ?? '', /^no gateway can be reached: E/)
})

async function bind(socket: ReturnType<typeof createSocket>): Promise<number> {
  const bound = once(socket, 'listening')
  socket.bind(0, '127.0.0.1')
  await bound
  return socket.address().port
}

async function closedPort(): Promise<number> {
  const socket = createSocket('udp4')
  const port = await bind(socket)
  await new Promise<void>(resolve => socket.close(resolve))
  return port
}
