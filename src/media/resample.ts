// Changes the sample rate of linear audio (8, 16, 24 kHz and any other pair) with a polyphase low-pass filter.

export interface Resampler {
  /** The next samples of a stream; returns what can be told so far, `delaySamples` behind. */
  add(samples: Int16Array): Int16Array
  /** How far the output lags, in output samples. */
  readonly delaySamples: number
}

/** Zero crossings of the filter on each side: 16 keep aliases below −60 dB, which G.711's 38 dB never shows. */
const crossings = 16
/** Share of the narrower band that passes: the rest is the filter's slope. */
const passBand = 0.92

/** A stream from one rate to another; keeps the filter's memory between calls, so that chunks join without a click. */
export function createResampler(fromHz: number, toHz: number): Resampler {
  if (fromHz === toHz) return { add: samples => samples, delaySamples: 0 }
  const divisor = greatestDivisor(fromHz, toHz)
  const up = toHz / divisor
  const down = fromHz / divisor
  const phases = designPhases(up, down)
  const taps = phases[0]!.length
  let held = new Float32Array(taps - 1)
  /** Next output's place after the first held sample that is still needed, in units of 1/up of an input sample. */
  let place = 0
  const add = (samples: Int16Array) => {
    const input = new Float32Array(held.length + samples.length)
    input.set(held)
    input.set(samples, held.length)
    const ready = Math.max(0, Math.ceil(((input.length - taps + 1) * up - place) / down))
    const output = new Int16Array(ready)
    for (let n = 0; n < ready; n++, place += down) {
      output[n] = clip(filterAt(input, Math.floor(place / up), phases[place % up]!))
    }
    const used = Math.min(Math.floor(place / up), input.length)
    held = input.slice(used)
    place -= used * up
    return output
  }
  return { add, delaySamples: Math.round((((taps - 1) / 2) * up) / down) }
}

/** A whole recording at once, without the filter's delay: as long as the original lasted. */
export function resample(samples: Int16Array, fromHz: number, toHz: number): Int16Array {
  if (fromHz === toHz) return samples
  const resampler = createResampler(fromHz, toHz)
  const length = Math.round((samples.length * toHz) / fromHz)
  const tail = Math.ceil(((resampler.delaySamples + 1) * fromHz) / toHz) + 1
  const padded = new Int16Array(samples.length + tail)
  padded.set(samples)
  return resampler.add(padded).slice(resampler.delaySamples, resampler.delaySamples + length)
}

/** For each place between two input samples: its coefficients, oldest sample first, summing to 1. */
function designPhases(up: number, down: number): Float32Array[] {
  const stretch = Math.max(1, down / up)
  const taps = 2 * Math.ceil(crossings * stretch) + 1
  const middle = (taps - 1) / 2
  return Array.from({ length: up }, (_, phase) => {
    const raw = Float32Array.from({ length: taps }, (_unused, tap) => {
      const distance = tap - middle - phase / up
      return sinc((distance * passBand) / stretch) * blackman(distance / (middle + 1))
    })
    const sum = raw.reduce((total, value) => total + value, 0)
    return raw.map(value => value / sum)
  })
}

function sinc(x: number): number {
  return x === 0 ? 1 : Math.sin(Math.PI * x) / (Math.PI * x)
}

/** A window over −1 … 1. */
function blackman(x: number): number {
  return Math.abs(x) >= 1 ? 0 : 0.42 + 0.5 * Math.cos(Math.PI * x) + 0.08 * Math.cos(2 * Math.PI * x)
}

function filterAt(input: Float32Array, from: number, coefficients: Float32Array): number {
  let sum = 0
  for (let tap = 0; tap < coefficients.length; tap++) sum += input[from + tap]! * coefficients[tap]!
  return sum
}

function clip(value: number): number {
  return Math.max(-32_768, Math.min(32_767, Math.round(value)))
}

function greatestDivisor(one: number, other: number): number {
  return other === 0 ? one : greatestDivisor(other, one % other)
}
