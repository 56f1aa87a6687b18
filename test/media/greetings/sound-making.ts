// Silence, sines, levels and three kinds of noise, as 16-bit samples at 8,000 Hz.
import { sampleRateHz } from '../../../src/media/g711.ts'
import type { Random } from '../../../src/runtime/random.ts'

/** white: hiss · brown: traffic · hum: 50 Hz mains and its overtones. */
export const noises = ['none', 'white', 'brown', 'hum'] as const
export type Noise = (typeof noises)[number]

/** Root mean square of a sine at 0 dBm0, 16-bit scale: 3.17 dB below the loudest sine of µ-law (G.711 table 2). */
const rmsAt0dBm0 = (32_124 / Math.SQRT2) * 10 ** (-3.17 / 20)

export function silence(ms: number): Int16Array {
  return new Int16Array(Math.round((ms * sampleRateHz) / 1000))
}

export function joined(pieces: readonly Int16Array[]): Int16Array {
  const sound = new Int16Array(pieces.reduce((length, piece) => length + piece.length, 0))
  let at = 0
  for (const piece of pieces) {
    sound.set(piece, at)
    at += piece.length
  }
  return sound
}

/** Without the silence that speech engines put before and after what they say: pauses are the corpus's own. */
export function trimmed(samples: Int16Array): Int16Array {
  const isSound = (sample: number) => Math.abs(sample) > 300
  const start = samples.findIndex(isSound)
  return start === -1 ? samples : samples.slice(start, samples.findLastIndex(isSound) + 1)
}

/** @param level dBm0 */
export function sine(frequencyHz: number, ms: number, level: number, phase = 0): Int16Array {
  const peak = rmsOf(level) * Math.SQRT2
  const step = (2 * Math.PI * frequencyHz) / sampleRateHz
  return silence(ms).map((_, at) => Math.round(peak * Math.sin(phase + step * at)))
}

/** The same sound so loud that what is not silent in it has this level, dBm0. */
export function atLevel(samples: Int16Array, level: number): Int16Array {
  const loud = samples.filter(sample => Math.abs(sample) > 100)
  const rms = Math.sqrt(loud.reduce((sum, sample) => sum + sample ** 2, 0) / Math.max(1, loud.length))
  const gain = rmsOf(level) / Math.max(1, rms)
  return samples.map(sample => clip(sample * gain))
}

/** @param level of the noise, dBm0 */
export function addNoise(samples: Int16Array, noise: Noise, level: number, random: Random): Int16Array {
  if (noise === 'none') return samples
  const raw = rawNoise(noise, samples.length, random)
  const rms = Math.sqrt(raw.reduce((sum, value) => sum + value * value, 0) / raw.length)
  const gain = rmsOf(level) / rms
  return samples.map((sample, at) => clip(sample + raw[at]! * gain))
}

/** Sum of two sounds, as long as the longer one. */
export function mixed(one: Int16Array, other: Int16Array): Int16Array {
  const length = Math.max(one.length, other.length)
  return Int16Array.from({ length }, (_, at) => clip((one[at] ?? 0) + (other[at] ?? 0)))
}

function rawNoise(noise: Exclude<Noise, 'none'>, length: number, random: Random): Float64Array {
  let walk = 0
  return Float64Array.from({ length }, (_, at) => {
    if (noise === 'hum') return humAt(at)
    const white = 2 * random() - 1
    // A leaky sum falls by 6 dB an octave above 100 Hz.
    walk = 0.92 * walk + white
    return noise === 'white' ? white : walk
  })
}

function humAt(at: number): number {
  const turn = (2 * Math.PI * 50 * at) / sampleRateHz
  return Math.sin(turn) + 0.5 * Math.sin(3 * turn) + 0.3 * Math.sin(5 * turn)
}

function rmsOf(level: number): number {
  return rmsAt0dBm0 * 10 ** (level / 20)
}

function clip(value: number): number {
  return Math.max(-32_768, Math.min(32_767, Math.round(value)))
}
