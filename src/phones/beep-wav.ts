// The tone after which an answering machine records.
import { pcmToUlaw, sampleRateHz } from '../media/g711.ts'
import { wavHeader } from '../media/wav.ts'

const beepHz = 1_000
const beepMs = 400
const loudness = 8_000
/** Machines breathe between their greeting and the tone. */
const pauseMs = 300

/** A whole WAV file, µ-law. */
export function beepWav(): Buffer {
  const samples = Int16Array.from({ length: ((pauseMs + beepMs) * sampleRateHz) / 1_000 }, (_, at) => {
    const seconds = at / sampleRateHz - pauseMs / 1_000
    return seconds < 0 ? 0 : Math.round(loudness * Math.sin(2 * Math.PI * beepHz * seconds))
  })
  const data = pcmToUlaw(samples)
  return Buffer.concat([wavHeader({ encoding: 'ulaw', channels: 1, sampleRateHz }, data.length), data])
}
