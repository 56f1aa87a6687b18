// Calls from our API to baresip, a telephone that we did not write: what each side says is what the other one hears.
import assert from 'node:assert/strict'
import { openSpeech } from '../../src/agent/scripted/speech.ts'
import { ulawToPcm } from '../../src/media/g711.ts'
import { readWav } from '../../src/media/wav.ts'
import { alikeSomewhere, bestShift, sweep } from '../media/sound.ts'
import { startBaresip } from '../sip/baresip.ts'
import { peerTest } from '../sip/peers.ts'
import { type BatchEnd, type RealCalls, realCalls } from './real-calls.ts'

const number = '+12025550190'
const maria = { phone: number, name: 'Maria' }
const second = 8_000

/** A sound of theirs that is like itself at one place only, then silence for as long as the call may last. */
function theirs(seconds: number): Int16Array {
  const samples = new Int16Array(seconds * second)
  samples.set(sweep(2 * second))
  return samples
}

async function spoken(text: string): Promise<Int16Array> {
  const speech = openSpeech()
  try {
    return ulawToPcm(await speech.speak({ text, voice: 'slt', speed: 1 }))
  } finally {
    await speech.close()
  }
}

/** Both sides of the call's recording. */
async function recordingOf(
  server: RealCalls,
  batch: BatchEnd,
): Promise<{ them: Int16Array; us: Int16Array }> {
  const file = await server.download(`/api/v1/attempts/${batch.attempts[0]!.id}/recording`)
  const { samples } = readWav(Buffer.from(await file.arrayBuffer()))
  const side = (which: number) => samples.filter((_, at) => at % 2 === which)
  return { them: side(0), us: side(1) }
}

peerTest(
  'the telephone hears the agent say the row’s own words, the agent hears the telephone, and a key chooses the branch',
  ['baresip'],
  async t => {
    const phone = await startBaresip(t, number, theirs(30))
    const server = await realCalls(t, {
      sipPort: phone.port,
      firstRtpPort: 26_900,
      connection: {
        kind: 'scripted',
        steps: [
          { say: 'Hello {{name}}.' },
          {
            menu: {
              say: 'Press 1 to confirm.',
              result: 'answer',
              keys: { 1: { value: 'confirmed', goTo: 'thanks' } },
              timeoutMs: 8_000,
            },
          },
          { hangUp: true },
          { name: 'thanks', say: 'Thank you very much, {{name}}.' },
          { pauseMs: 400 },
        ],
      },
    })
    const called = server.callEverybody([maria], { record: true })
    // It hears us: so do we hear it.
    await phone.event('CALL_RTPESTAB')
    phone.command('sndcode 1')
    const batch = await called
    const [attempt] = batch.attempts
    assert.deepEqual(
      [batch.counts.answered, attempt?.results, attempt?.outcome.cause],
      [1, { answer: 'confirmed' }, 'sip 200'],
    )
    const heard = phone.heard()
    for (const text of ['Hello Maria.', 'Thank you very much, Maria.']) {
      const likeness = alikeSomewhere(await spoken(text), heard)
      assert.ok(likeness > 0.9, `the telephone heard "${text}": ${likeness}`)
    }
    assert.ok(alikeSomewhere(await spoken('Goodbye John.'), heard) < 0.9, 'and nothing that was not said')
    const { them } = await recordingOf(server, batch)
    const likeness = alikeSomewhere(sweep(2 * second).subarray(0, second), them)
    assert.ok(likeness > 0.9, `the agent heard the telephone: ${likeness}`)
  },
)

peerTest('a telephone that hangs up ends the call as answered', ['baresip'], async t => {
  // Baresip hangs up at the end of its file.
  const phone = await startBaresip(t, number, theirs(2))
  const connection = { kind: 'scripted', steps: [{ pauseMs: 30_000 }] }
  const server = await realCalls(t, { sipPort: phone.port, firstRtpPort: 27_700, connection })
  const { attempts, counts } = await server.callEverybody([maria])
  assert.equal(counts.answered, 1)
  assert.ok(attempts[0]!.talkMs! > 1_500 && attempts[0]!.talkMs! < 15_000, String(attempts[0]!.talkMs))
})

peerTest(
  'what the agent says comes back from a telephone that echoes, as it was said',
  ['baresip'],
  async t => {
    const phone = await startBaresip(t, number, 'echo')
    const connection = { kind: 'scripted', steps: [{ say: 'Hello {{name}}.' }, { pauseMs: 1_000 }] }
    const server = await realCalls(t, { sipPort: phone.port, firstRtpPort: 24_900, connection })
    const batch = await server.callEverybody([maria], { record: true })
    const { them, us } = await recordingOf(server, batch)
    assert.ok(alikeSomewhere(await spoken('Hello Maria.'), them) > 0.9)
    const { shift, likeness } = bestShift(us.subarray(0, us.length - second), them, second)
    t.diagnostic(
      `from our mouth through baresip to our ear: ${shift / 8} ms (likeness ${likeness.toFixed(2)})`,
    )
  },
)
