// Made-up sound for the media tests, and how alike two sounds are.
import { seededRandom } from '../../src/runtime/random.ts'

/** A tone that changes its pitch, so that it is like itself at one shift only. */
export function sweep(
  samples: number,
  { fromHz = 300, toHz = 2200, rateHz = 8000, loudness = 8000 } = {},
): Int16Array {
  const seconds = samples / rateHz
  return Int16Array.from({ length: samples }, (_, at) => {
    const time = at / rateHz
    return Math.round(
      loudness * Math.sin(2 * Math.PI * time * (fromHz + ((toHz - fromHz) * time) / (2 * seconds))),
    )
  })
}

export function tone(hz: number, samples: number, rateHz = 8000, loudness = 8000): Int16Array {
  return Int16Array.from({ length: samples }, (_, at) =>
    Math.round(loudness * Math.sin((2 * Math.PI * hz * at) / rateHz)),
  )
}

export function noise(samples: number, seed: number, loudness = 8000): Int16Array {
  const random = seededRandom(seed)
  return Int16Array.from({ length: samples }, () => Math.round(loudness * (2 * random() - 1)))
}

/** How alike: 1 the same, 0 nothing in common; over the shorter of the two. */
export function correlation(one: Int16Array, other: Int16Array, shift = 0): number {
  const length = Math.min(one.length, other.length - shift)
  let both = 0
  let ones = 0
  let others = 0
  for (let at = 0; at < length; at++) {
    const left = one[at]!
    const right = other[at + shift]!
    both += left * right
    ones += left * left
    others += right * right
  }
  return ones === 0 || others === 0 ? 0 : both / Math.sqrt(ones * others)
}

/** The shift of `other`, up to `maxShift` samples, at which it is most like `one`. */
export function bestShift(
  one: Int16Array,
  other: Int16Array,
  maxShift: number,
): { shift: number; likeness: number } {
  let best = { shift: 0, likeness: -1 }
  for (let shift = 0; shift <= maxShift && shift < other.length; shift++) {
    const likeness = correlation(one, other, shift)
    if (likeness > best.likeness) best = { shift, likeness }
  }
  return best
}

/**
 * How alike two sounds are in the middle case, 100 ms at a time: over a real network, and on a busy machine, a jitter
 * buffer inserts and drops frames, so that no single shift fits the whole.
 */
export function alikeByParts(one: Int16Array, other: Int16Array): number {
  return middle(partsOf(one).map(({ part }) => bestShift(part, other, other.length - part.length).likeness))
}

/** The same where `other` is long: its loudest part is looked for everywhere, the others near where they then belong. */
export function alikeSomewhere(one: Int16Array, other: Int16Array): number {
  const parts = partsOf(one)
  const loudest = parts.reduce((most, next) => (energyOf(next.part) > energyOf(most.part) ? next : most))
  const { shift } = bestShift(loudest.part, other, other.length - loudest.part.length)
  return middle(
    parts.map(({ part, at }) => {
      const from = Math.max(0, shift + at - loudest.at - slackSamples)
      return bestShift(part, other.subarray(from), 2 * slackSamples).likeness
    }),
  )
}

const partSamples = 800
/** What a jitter buffer may have put in or left out between two parts. */
const slackSamples = 1_600

function partsOf(sound: Int16Array): { part: Int16Array; at: number }[] {
  return Array.from({ length: Math.floor(sound.length / partSamples) }, (_, index) => {
    const at = index * partSamples
    return { part: sound.subarray(at, at + partSamples), at }
  })
}

function energyOf(sound: Int16Array): number {
  return sound.reduce((sum, sample) => sum + sample * sample, 0)
}

function middle(values: number[]): number {
  return values.sort((left, right) => left - right)[values.length >> 1]!
}
