// The echo agent: it runs the conformance suite, and nothing is lost on the way back.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createConnectAgent } from '../../src/agent/connect-agent.ts'
import { realClock } from '../../src/runtime/clock.ts'
import { agentConformance } from './agent-conformance.ts'
import { FakeCallLeg } from './fake-call-leg.ts'
import { toneSpeech } from './scripted-speech.ts'

const connect = createConnectAgent({ clock: realClock, speech: toneSpeech })

agentConformance('echo', async () => ({ connect, settings: { kind: 'echo' }, close: async () => {} }))

test('an echo gives back each frame and each key', async () => {
  const leg = new FakeCallLeg()
  leg.session = await connect(leg, { kind: 'echo' })
  leg.session.answered()
  const frame = new Uint8Array(160)
  for (let n = 0; n < 5; n++) leg.pass(20, frame.fill(n))
  leg.session.keyPressed('5')
  leg.pass(40)
  assert.deepEqual(
    leg.heard.slice(1, 6).map(heard => heard[0]),
    [0, 1, 2, 3, 4],
  )
  assert.equal(leg.keys, '5')
})
