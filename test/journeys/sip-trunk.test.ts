// A batch over a real SIP trunk, from the API's request to the recordings, against a telephone network that SIPp plays.
import assert from 'node:assert/strict'
import { readWav } from '../../src/media/wav.ts'
import { peerTest, startSipp } from '../sip/peers.ts'
import { realCalls } from './real-calls.ts'

const connection = {
  kind: 'scripted',
  steps: [{ say: 'Hello {{name}}.' }, { set: { greeted: '{{name}}' } }, { hangUp: true }],
}

/** The peer answers a number that ends in 200 and refuses one that ends in 486. */
const numbers = (count: number, ending: string) =>
  Array.from({ length: count }, (_, index) => ({
    phone: `+1${index < 8 ? '202' : '312'}555${(index % 8) + 2}${ending}`,
    name: index % 2 === 0 ? 'Maria' : 'John',
  }))

peerTest(
  'a batch of 20 rings over SIP: each person hears the agent, is recorded, and busy ones are rung again',
  ['sipp'],
  async t => {
    // 16 answered calls, and four busy people who are rung twice.
    const peer = await startSipp(t, {
      scenario: 'street',
      calls: 16 + 8,
      args: ['-mi', '127.0.0.1', '-rtp_echo'],
    })
    const server = await realCalls(t, { sipPort: peer.port, firstRtpPort: 28_000, connection })
    const people = [...numbers(16, '200'), ...numbers(4, '486')]
    const batch = await server.callEverybody(people, {
      record: true,
      retry: { maxAttempts: 2, delaysMs: { busy: [100] } },
    })
    const { answered, busy } = batch.counts
    assert.deepEqual([batch.status, answered, busy], ['completed', 16, 4], JSON.stringify(batch.attempts))
    assert.equal(batch.attempts.length, 24)
    for (const { outcome, number } of batch.attempts)
      assert.equal(outcome.sipStatus, Number(number.slice(-3)), outcome.cause)
    const talked = batch.attempts.filter(({ outcome }) => outcome.disposition === 'answered')
    assert.deepEqual(new Set(talked.map(({ results }) => results?.greeted)), new Set(['Maria', 'John']))
    const kept = await server.send<{ transcript: unknown[]; line: { packetsSent: number } }>(
      'GET',
      `/api/v1/attempts/${talked[0]!.id}`,
    )
    assert.ok(kept.line.packetsSent > 20, JSON.stringify(kept))
    for (const { id, recordingBytes } of talked) {
      const answer = await server.download(`/api/v1/attempts/${id}/recording`)
      const file = Buffer.from(await answer.arrayBuffer())
      assert.deepEqual(
        [answer.status, answer.headers.get('content-type'), file.length],
        [200, 'audio/wav', recordingBytes],
      )
      const { samples } = readWav(file)
      const [them, us] = [0, 1].map(side => loudness(samples.filter((_, at) => at % 2 === side)))
      assert.ok(us! > 100 && them! > 100, `the agent is heard (${us}), and its echo comes back (${them})`)
    }
    const refused = batch.attempts.find(({ outcome }) => outcome.sipStatus === 486)!
    assert.equal((await server.download(`/api/v1/attempts/${refused.id}/recording`)).status, 404)
    assert.equal(await peer.done, '')
  },
)

peerTest(
  'the SIP messages of a call are read in the API when it has ended, answered or not, also of one batch alone',
  ['sipp'],
  async t => {
    const peer = await startSipp(t, { scenario: 'street', calls: 3 })
    const server = await realCalls(t, {
      sipPort: peer.port,
      firstRtpPort: 26_800,
      connection: { kind: 'scripted', steps: [{ hangUp: true }] },
    })
    const traced = await server.callEverybody([...numbers(1, '200'), ...numbers(1, '486')], {
      trace: true,
      retry: { maxAttempts: 1 },
    })
    for (const { id, outcome } of traced.attempts) {
      const { messages } = await server.send<{ messages: { direction: string; firstLine: string }[] }>(
        'GET',
        `/api/v1/attempts/${id}/trace`,
      )
      const ladder = messages.map(({ direction, firstLine }) => `${direction} ${firstLine.split(' sip:')[0]}`)
      const expected =
        outcome.sipStatus === 486
          ? ['sent INVITE', 'received SIP/2.0 486 Busy Here', 'sent ACK']
          : ['sent INVITE', 'received SIP/2.0 180 Ringing', 'received SIP/2.0 200 OK', 'sent ACK']
      assert.deepEqual(ladder.slice(0, expected.length), expected)
      assert.equal(
        ladder.some(line => line.startsWith('sent BYE')),
        outcome.sipStatus === 200,
      )
    }
    const untraced = await server.callEverybody([{ phone: '+12125550200' }])
    const { status } = await server.download(`/api/v1/attempts/${untraced.attempts[0]!.id}/trace`)
    assert.deepEqual([untraced.counts.answered, status], [1, 404])
    assert.equal(await peer.done, '')
  },
)

/** Mean of what a loudspeaker would be told, 0 to 32,767. */
function loudness(samples: Int16Array): number {
  return samples.reduce((sum, sample) => sum + Math.abs(sample), 0) / samples.length
}
