// Formant: a single call over a real SIP trunk, with its transcript, its results and its recording.
import assert from 'node:assert/strict'
import { batchIdOf } from '../../src/domain/recipient-id.ts'
import { readWav } from '../../src/media/wav.ts'
import { realCalls } from '../journeys/real-calls.ts'
import { peerTest, startSipp } from '../sip/peers.ts'

const connection = {
  kind: 'scripted',
  steps: [{ say: 'Hello {{name}}.' }, { set: { greeted: '{{name}}' } }, { hangUp: true }],
}
const always = [{ days: [1, 2, 3, 4, 5, 6, 7], from: '00:00', to: '24:00' }]

peerTest('a single call rings over SIP, and its recording is a WAV file', ['sipp'], async t => {
  const peer = await startSipp(t, { scenario: 'street', calls: 1, args: ['-mi', '127.0.0.1', '-rtp_echo'] })
  const server = await realCalls(t, { sipPort: peer.port, firstRtpPort: 27_000, connection })
  await server.send('PATCH', '/api/v1/workspace', { window: always })
  const parameters = Object.entries({ customer_phone: '+12025552200', name: 'Maria' })
  const { data: call } = await server.send<{ data: { conversation_id: number } }>(
    'POST',
    '/formant/v1/call',
    {
      agent_id: 1,
      parameters: parameters.map(([name, value]) => ({ name, value })),
      record: true,
    },
  )
  await server.ended(batchIdOf(call.conversation_id))
  const path = `/formant/v1/conversations/${call.conversation_id}`
  const { data: talked } = await server.send<{ data: Conversation }>('GET', path)
  assert.deepEqual([talked.status, talked.results], ['completed', { greeted: 'Maria' }])
  assert.ok(talked.duration_seconds > 0)
  const url = new URL(talked.recording_url)
  assert.equal(url.origin, server.app.url)
  const answer = await server.download(url.pathname)
  const { samples } = readWav(Buffer.from(await answer.arrayBuffer()))
  assert.deepEqual([answer.status, answer.headers.get('content-type')], [200, 'audio/wav'])
  assert.ok(
    samples.some((sample, at) => at % 2 === 1 && Math.abs(sample) > 1_000),
    'the agent is heard',
  )

  assert.equal(await peer.done, '')
})

interface Conversation {
  status: string
  results: object
  duration_seconds: number
  recording_url: string
}
