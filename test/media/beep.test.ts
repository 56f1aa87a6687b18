// The beep ear on made-up sound: beeps of all pitches, lengths and levels in noise, and what must not be taken for one.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { pcmToUlaw } from '../../src/media/g711.ts'
import { strongestTone } from '../../src/media/tone.ts'
import { seededRandom } from '../../src/runtime/random.ts'
import { beepsIn, type ToldBeep } from './greetings/score.ts'
import { addNoise, joined, mixed, type Noise, noises, silence, sine } from './greetings/sound-making.ts'

function heardIn(...pieces: Int16Array[]): ToldBeep[] {
  return beepsIn(pcmToUlaw(joined([silence(315), ...pieces, silence(700)])))
}

function noisyBeep(beep: {
  hz: number
  ms: number
  level: number
  noise: Noise
  snr: number
  startMs: number
}) {
  const { hz, ms, level, noise, snr, startMs } = beep
  const sound = joined([silence(startMs), sine(hz, ms, level), silence(700)])
  return beepsIn(pcmToUlaw(addNoise(sound, noise, level - snr, seededRandom(hz))))
}

test('a tone is found to within 3 Hz wherever in the band it lies', () => {
  for (let hz = 440; hz <= 2000; hz += 13) {
    const tone = strongestTone(sine(hz, 20, -20, hz))
    assert.ok(
      tone !== null && Math.abs(tone.frequencyHz - hz) < 3,
      `${hz} Hz was taken for ${tone?.frequencyHz}`,
    )
    assert.ok(tone.purity > 0.95)
  }
})

test('a beep of any pitch, length and level is told once, within 100 ms of its end', () => {
  const beep = fc.record({
    hz: fc.integer({ min: 440, max: 2000 }),
    ms: fc.integer({ min: 100, max: 2000 }),
    level: fc.integer({ min: -34, max: -6 }),
    noise: fc.constantFrom(...noises),
    snr: fc.integer({ min: 14, max: 40 }),
    startMs: fc.integer({ min: 40, max: 400 }),
  })
  fc.assert(
    fc.property(beep, wanted => {
      const told = noisyBeep(wanted)
      assert.equal(told.length, 1)
      const [{ frequencyHz, durationMs, atMs }] = told as [ToldBeep]
      assert.ok(Math.abs(frequencyHz - wanted.hz) <= 5, `${frequencyHz} Hz`)
      assert.ok(Math.abs(durationMs - wanted.ms) <= 40, `${durationMs} ms`)
      const late = atMs - (wanted.startMs + wanted.ms)
      assert.ok(late >= 0 && late <= 100, `${late} ms late`)
    }),
    { numRuns: 150, verbose: 1 },
  )
})

test('noise alone never beeps', () => {
  for (const noise of noises)
    for (let seed = 1; seed <= 10; seed++) {
      const sound = addNoise(silence(6000), noise, -22, seededRandom(seed))
      assert.deepEqual(beepsIn(pcmToUlaw(sound)), [], `${noise}, seed ${seed}`)
    }
})

test('a blip shorter than 80 ms is no beep, nor is a tone of more than 4 seconds', () => {
  for (const ms of [20, 40, 60, 78]) assert.deepEqual(heardIn(sine(1000, ms, -16)), [], `${ms} ms`)
  assert.deepEqual(heardIn(sine(1000, 4500, -16)), [])
})

test('tones outside 440 to 2000 Hz are no beep', () => {
  for (const hz of [350, 400, 425, 2025, 2100, 2225])
    assert.deepEqual(heardIn(sine(hz, 500, -16)), [], `${hz} Hz`)
})

const pairs: Readonly<Record<string, readonly (readonly [number, number])[]>> = {
  "North America's dial tone, ring-back, busy and reorder": [
    [350, 440],
    [440, 480],
    [480, 620],
  ],
  "the United Kingdom's dial tone and ring-back": [
    [350, 450],
    [400, 450],
  ],
  'keys of a telephone': [697, 770, 852, 941].flatMap(low =>
    [1209, 1336, 1477, 1633].map(high => [low, high] as const),
  ),
}

for (const [name, tones] of Object.entries(pairs)) {
  test(`two tones are no beep: ${name}`, () => {
    for (const [low, high] of tones)
      for (const ms of [120, 500, 2000])
        for (const twist of [-4, 0, 4])
          assert.deepEqual(
            heardIn(mixed(sine(low, ms, -16), sine(high, ms, -16 + twist))),
            [],
            `${low} + ${high} Hz`,
          )
  })
}

test('the special information tones before an announcement are no beep', () => {
  for (const [first, second, third] of [
    [950, 1400, 1800],
    [985, 1428, 1777],
    [914, 1371, 1777],
  ] as const)
    for (const gapMs of [0, 30]) {
      const gap = silence(gapMs)
      assert.deepEqual(
        heardIn(sine(first, 330, -18), gap, sine(second, 330, -18), gap, sine(third, 330, -18)),
        [],
      )
    }
})

test('of a melody of beeps the end of the last one counts', () => {
  const told = heardIn(sine(800, 200, -16), sine(1200, 200, -16))
  assert.deepEqual(
    told.map(({ frequencyHz }) => frequencyHz),
    [1200],
  )
})

test('a note that goes on as speech or music is no beep', () => {
  const glide = Int16Array.from({ length: 8000 }, (_, at) =>
    Math.round(4000 * Math.sin(2 * Math.PI * (at / 8000) * (600 + 300 * (at / 8000)))),
  )
  assert.deepEqual(heardIn(glide), [])
  const chord = mixed(sine(700, 800, -18), sine(1130, 800, -18))
  assert.deepEqual(heardIn(sine(700, 200, -16), chord), [])
})
