// Is this frame one pure tone, and which? A Goertzel bank finds the neighbourhood, the phase between two halves of the
// frame the frequency to about 2 Hz, and the share of the energy on it says how pure it is.
import { sampleRateHz } from './g711.ts'

export interface Tone {
  frequencyHz: number
  /** Peak of the sine, 16-bit scale. */
  amplitude: number
  /** Share of the frame's energy that the tone is, 0 to 1: 0.91 at 10 dB over noise, near 0.5 for two equal tones. */
  purity: number
}

/** Voicemail systems beep between 440 and 2000 Hz. */
export const minToneHz = 440
export const maxToneHz = 2000
/** Closer than the 100 Hz between two halves' phases that would be taken for one another. */
const bankStepHz = 80
const bank = Float64Array.from({ length: (maxToneHz - minToneHz) / bankStepHz + 2 }, (_, at) =>
  radiansOf(minToneHz + at * bankStepHz),
)

/** The strongest tone of 400 to 2080 Hz in some samples (160 are 20 ms); null when they are all zero. */
export function strongestTone(samples: Int16Array): Tone | null {
  const energy = energyOf(samples)
  if (energy === 0) return null
  const near = strongestOfBank(samples)
  const half = samples.length / 2
  const [first, second] = [correlate(samples, near, 0, half), correlate(samples, near, half, samples.length)]
  const turn = Math.atan2(
    second.im * first.re - second.re * first.im,
    second.re * first.re + second.im * first.im,
  )
  const radians = near + turn / half
  const power = goertzel(samples, radians)
  return {
    frequencyHz: (radians * sampleRateHz) / (2 * Math.PI),
    amplitude: (2 * Math.sqrt(power)) / samples.length,
    purity: Math.min(1, (2 * power) / (samples.length * energy)),
  }
}

function strongestOfBank(samples: Int16Array): number {
  let best = bank[0]!
  let bestPower = -1
  for (const radians of bank) {
    const power = goertzel(samples, radians)
    if (power <= bestPower) continue
    bestPower = power
    best = radians
  }
  return best
}

/** |X(ω)|² with one multiplication a sample (Goertzel 1958). */
function goertzel(samples: Int16Array, radians: number): number {
  const coefficient = 2 * Math.cos(radians)
  let before = 0
  let last = 0
  for (let at = 0; at < samples.length; at++) {
    const next = samples[at]! + coefficient * last - before
    before = last
    last = next
  }
  return before * before + last * last - coefficient * last * before
}

/** X(ω) over samples `from` to `to`, its phase counted from sample 0 so that stretches can be compared. */
function correlate(
  samples: Int16Array,
  radians: number,
  from: number,
  to: number,
): { re: number; im: number } {
  // Turned by one multiplication a sample: sine and cosine of each would take as long as all the rest.
  const [stepRe, stepIm] = [Math.cos(radians), -Math.sin(radians)]
  let turnRe = Math.cos(radians * from)
  let turnIm = -Math.sin(radians * from)
  let re = 0
  let im = 0
  for (let at = from; at < to; at++) {
    re += samples[at]! * turnRe
    im += samples[at]! * turnIm
    const nextRe = turnRe * stepRe - turnIm * stepIm
    turnIm = turnRe * stepIm + turnIm * stepRe
    turnRe = nextRe
  }
  return { re, im }
}

function energyOf(samples: Int16Array): number {
  let sum = 0
  for (let at = 0; at < samples.length; at++) sum += samples[at]! ** 2
  return sum
}

function radiansOf(frequencyHz: number): number {
  return (2 * Math.PI * frequencyHz) / sampleRateHz
}
