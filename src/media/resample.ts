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
  const filter = designFilter(fromHz, toHz)
  const { up, down, middle } = filter
  return { add: runFilter(filter, 0), delaySamples: Math.round((middle * up) / down) }
}

/** A whole recording at once, without the filter's delay: as long as the original lasted. */
export function resample(samples: Int16Array, fromHz: number, toHz: number): Int16Array {
  if (fromHz === toHz) return samples
  const filter = designFilter(fromHz, toHz)
  const padded = new Int16Array(samples.length + filter.middle + 1)
  padded.set(samples)
  // The first output stands where the first input does: the filter's middle.
  const output = runFilter(filter, filter.middle * filter.up)(padded)
  return output.slice(0, Math.round((samples.length * toHz) / fromHz))
}

interface Filter {
  /** Output rate : input rate, in lowest terms. */
  up: number
  down: number
  /** Half the filter's length, in input samples. */
  middle: number
  /** For each place between two input samples: its coefficients, oldest sample first, summing to 1. */
  phases: Float32Array[]
}

/** @param place the first output's place after the filter's length of silence, in units of 1/up of an input sample */
function runFilter({ up, down, middle, phases }: Filter, place: number): (samples: Int16Array) => Int16Array {
  const taps = 2 * middle + 1
  let held = new Float32Array(taps - 1)
  let next = place
  return samples => {
    const input = new Float32Array(held.length + samples.length)
    input.set(held)
    input.set(samples, held.length)
    const ready = Math.max(0, Math.ceil(((input.length - taps + 1) * up - next) / down))
    const output = new Int16Array(ready)
    for (let n = 0; n < ready; n++, next += down) {
      output[n] = clip(filterAt(input, Math.floor(next / up), phases[next % up]!))
    }
    const used = Math.min(Math.floor(next / up), input.length)
    held = input.slice(used)
    next -= used * up
    return output
  }
}

function designFilter(fromHz: number, toHz: number): Filter {
  const divisor = greatestDivisor(fromHz, toHz)
  const up = toHz / divisor
  const down = fromHz / divisor
  const stretch = Math.max(1, down / up)
  const middle = Math.ceil(crossings * stretch)
  const phases = Array.from({ length: up }, (_, phase) => designPhase(phase / up, middle, stretch))
  return { up, down, middle, phases }
}

function designPhase(offset: number, middle: number, stretch: number): Float32Array {
  const raw = Float32Array.from({ length: 2 * middle + 1 }, (_, tap) => {
    const distance = tap - middle - offset
    return sinc((distance * passBand) / stretch) * blackman(distance / (middle + 1))
  })
  const sum = raw.reduce((total, value) => total + value, 0)
  return raw.map(value => value / sum)
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
