// Keys as tones in the audio (ITU-T Q.23), for lines where no telephone events were agreed.
import { frameBytes, pcmToUlaw, sampleRateHz } from './g711.ts'

/** By event code of RFC 4733: 0 to 9, *, #, A to D. Row and column, Hz. */
const lowHz = [941, 697, 697, 697, 770, 770, 770, 852, 852, 852, 941, 941, 697, 770, 852, 941] as const
const highHz = [
  1336, 1209, 1336, 1477, 1209, 1336, 1477, 1209, 1336, 1477, 1209, 1477, 1633, 1633, 1633, 1633,
] as const
/** Each of both tones: together about −6 dBm0, loud enough after a lossy line and far from clipping. */
const amplitude = 8000

/** One frame of a key that has been held for `tick` frames, µ-law; frames of one key join without a click. */
export function keyToneFrame(event: number, tick: number): Uint8Array {
  const samples = Int16Array.from({ length: frameBytes }, (_, at) => {
    const seconds = (tick * frameBytes + at) / sampleRateHz
    const low = Math.sin(2 * Math.PI * lowHz[event]! * seconds)
    const high = Math.sin(2 * Math.PI * highHz[event]! * seconds)
    return Math.round(amplitude * (low + high))
  })
  return pcmToUlaw(samples)
}
