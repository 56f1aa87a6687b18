// The automaton that tells people from recorders, on made-up bursts of sound, and what a batch's policy makes of it.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { type AmdSettings, type AmdVerdict, asteriskAmd, createAmd, usualAmd } from '../../src/media/amd.ts'
import { pcmToUlaw } from '../../src/media/g711.ts'
import { type MachinePolicy, type MachineSign, machinePolicy } from '../../src/media/machine-policy.ts'
import { createMachineWatch, type MachineNews } from '../../src/media/machine-watch.ts'
import { seededRandom } from '../../src/runtime/random.ts'
import { framesOf, verdictOn } from './greetings/score.ts'
import { addNoise, joined, silence, sine } from './greetings/sound-making.ts'

/** Speech to the automaton: anything loud. Two tones, so that it is no beep. */
function burst(ms: number, level = -18): Int16Array {
  const [low, high] = [sine(260, ms, level), sine(410, ms, level)]
  return low.map((sample, at) => (sample + high[at]!) >> 1)
}

/** Before whoever answers says a word. */
const leadMs = 100

/** Bursts and the silences between them, in turn, in ms, on a line with a faint hiss; a burst comes first. */
function line(...lengths: number[]): Uint8Array {
  const pieces = lengths.map((ms, at) => (at % 2 === 0 ? burst(ms) : silence(ms)))
  return pcmToUlaw(addNoise(joined([silence(leadMs), ...pieces]), 'white', -55, seededRandom(1)))
}

function verdict(ulaw: Uint8Array, settings: AmdSettings): string {
  const given = verdictOn(ulaw, settings)
  return given === null ? 'none' : `${given.verdict}: ${given.cause} after ${given.afterMs}`
}

test('a short word and silence is a person', () => {
  assert.equal(verdict(line(400, 3000), asteriskAmd), 'human: silence-after-greeting after 1300')
  assert.equal(verdict(line(400, 3000), usualAmd), 'human: silence-after-greeting after 2000')
})

test('speech that does not end is a machine', () => {
  assert.equal(verdict(line(6000), asteriskAmd), 'machine: long-greeting after 1620')
  assert.equal(verdict(line(6000), usualAmd), 'machine: long-greeting after 5120')
})

test('more words than a person answers with are a machine', () => {
  assert.equal(
    verdict(line(200, 100, 200, 100, 200, 100, 200, 2000), asteriskAmd),
    'machine: many-words after 1100',
  )
})

test('silence from the start is unsure, and so is a line that never comes to rest', () => {
  assert.equal(verdict(line(0, 4000), usualAmd), 'unsure: initial-silence after 2500')
  const words = Array.from({ length: 40 }, (_, at) => (at % 2 === 0 ? 100 : 900))
  assert.equal(verdict(line(...words), usualAmd), 'unsure: too-long after 10000')
})

test('clicks are no words, and a silence goes on after them', () => {
  assert.equal(verdict(line(60, 300, 60, 300, 60, 3000), usualAmd), 'unsure: initial-silence after 2500')
  assert.equal(
    verdict(line(400, 700, 60, 740, 60, 3000), usualAmd),
    'human: silence-after-greeting after 2120',
  )
})

test('a hissing line is heard through: the noise is not taken for speech', () => {
  for (const level of [-45, -40, -35]) {
    const sound = joined([silence(400), burst(600), silence(4000)])
    const noisy = addNoise(sound, 'white', level, seededRandom(1))
    assert.match(
      verdict(pcmToUlaw(noisy), usualAmd),
      /^human: silence-after-greeting/,
      `noise at ${level} dBm0`,
    )
  }
})

test('a steady sound over a silent line is the line, not a voice: nobody is hung up on for a hum', () => {
  assert.match(verdict(pcmToUlaw(joined([silence(leadMs), burst(9000)])), usualAmd), /^human/)
})

test('the verdict comes once', () => {
  const amd = createAmd(usualAmd)
  const verdicts: AmdVerdict[] = []
  for (const frame of framesOf(line(400, 9000, 8000))) {
    const given = amd.hear(frame)
    if (given !== null) verdicts.push(given)
  }
  assert.equal(verdicts.length, 1)
})

test('whatever is heard, a verdict comes within the total time, once', () => {
  const frames = fc.array(fc.uint8Array({ minLength: 160, maxLength: 160 }), { maxLength: 40 })
  fc.assert(
    fc.property(frames, fc.integer({ min: 1, max: 30 }), (some, repeat) => {
      const amd = createAmd(usualAmd)
      const heard = Array.from({ length: usualAmd.totalMs / 20 }, (_, at) => {
        const frame = some[Math.floor(at / repeat) % Math.max(1, some.length)]
        return amd.hear(frame ?? new Uint8Array(160).fill(0xff))
      })
      assert.equal(heard.filter(one => one !== null).length, 1)
    }),
    { numRuns: 50, verbose: 1 },
  )
})

function orders(
  policy: MachinePolicy,
  signs: readonly (readonly [MachineSign, number])[],
): (string | null)[] {
  const decision = machinePolicy(policy, 30_000)
  return signs.map(([sign, atMs]) => decision.decide(sign, atMs))
}

test('each policy has its own answer to a machine', () => {
  const machine = [['machine', 5000]] as const
  assert.deepEqual(orders('off', machine), [null])
  assert.deepEqual(orders('hang-up', machine), ['hang-up'])
  assert.deepEqual(orders('hand-to-agent', machine), ['hand-over'])
  assert.deepEqual(orders('leave-message', machine), ['wait-for-beep'])
})

test('a message waits for the beep, or for so long and no longer', () => {
  const machine = ['machine', 5000] as const
  assert.deepEqual(
    orders('leave-message', [machine, ['nothing', 9000], ['beep', 12_000], ['beep', 13_000]]),
    ['wait-for-beep', null, 'speak', null],
  )
  assert.deepEqual(orders('leave-message', [machine, ['nothing', 34_980], ['nothing', 35_000]]), [
    'wait-for-beep',
    null,
    'speak',
  ])
})

test('unsure means human, until a beep proves a machine', () => {
  assert.deepEqual(
    orders('hang-up', [
      ['unsure', 2500],
      ['nothing', 9000],
      ['beep', 12_000],
    ]),
    [null, null, 'hang-up'],
  )
  assert.deepEqual(
    orders('leave-message', [
      ['unsure', 2500],
      ['beep', 12_000],
    ]),
    [null, 'speak'],
  )
  assert.deepEqual(
    orders('hang-up', [
      ['unsure', 2500],
      ['nothing', 30_000],
      ['beep', 31_000],
    ]),
    [null, null, null],
  )
})

test('a person is never hung up on or talked over for a beep', () => {
  for (const policy of ['hang-up', 'leave-message', 'hand-to-agent'] as const)
    assert.deepEqual(
      orders(policy, [
        ['human', 1900],
        ['beep', 2500],
      ]),
      [null, null],
    )
})

function newsOf(policy: MachinePolicy, ulaw: Uint8Array): { news: MachineNews[]; over: boolean } {
  const watch = createMachineWatch(policy)
  const news = [...framesOf(ulaw)].map(frame => watch.hear(frame)).filter(one => one !== null)
  return { news, over: watch.isOver() }
}

test('a recorder is waited for and spoken to after its beep', () => {
  const greeting = joined([silence(leadMs), burst(6000), silence(600), sine(1000, 400, -16), silence(3000)])
  const sound = addNoise(greeting, 'white', -55, seededRandom(1))
  const { news, over } = newsOf('leave-message', pcmToUlaw(sound))
  assert.deepEqual(
    news.map(({ verdict, beep, order }) => [verdict?.verdict, beep?.frequencyHz, order]),
    [
      ['machine', undefined, 'wait-for-beep'],
      [undefined, 1000, 'speak'],
    ],
  )
  assert.ok(over)
})

test('a beep before any verdict is the verdict', () => {
  const { news } = newsOf(
    'hang-up',
    pcmToUlaw(joined([burst(600), silence(500), sine(800, 300, -16), silence(2000)])),
  )
  assert.equal(news.length, 1)
  assert.deepEqual(
    [news[0]?.verdict?.verdict, news[0]?.verdict?.cause, news[0]?.order],
    ['machine', 'beep', 'hang-up'],
  )
})

test('a batch that does not ask for it listens to nothing', () => {
  assert.deepEqual(newsOf('off', line(9000)), { news: [], over: true })
})
