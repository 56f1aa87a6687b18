// WAV files that scripts play: read once, turned into what the line carries.
import { open } from 'node:fs/promises'
import { join } from 'node:path'
import { pcmToUlaw, sampleRateHz } from '../../media/g711.ts'
import { resample } from '../../media/resample.ts'
import { readWav } from '../../media/wav.ts'

/** Ten minutes of CD quality are 100 MB: nobody listens so long, and reading it would hold up the thread. */
const maxFileBytes = 20 * 1024 * 1024
const maxSampleRateHz = 192_000

/**
 * Reads one file of the audio folder as µ-law at 8 kHz; several channels become one.
 * @throws Error with one sentence that names the file
 */
export async function readAudioFile(audioDir: string | undefined, name: string): Promise<Uint8Array> {
  if (audioDir === undefined) throw new Error(`There is no audio folder to play ${name} from.`)
  const bytes = await readBounded(join(audioDir, name), name)
  try {
    const { samples, channels, sampleRateHz: fileRateHz } = readWav(bytes)
    if (fileRateHz > maxSampleRateHz) throw new Error(`Its sample rate is over ${maxSampleRateHz} Hz.`)
    return pcmToUlaw(resample(mixDown(samples, channels), fileRateHz, sampleRateHz))
  } catch (error) {
    throw new Error(
      `The audio file ${name} cannot be played. ${error instanceof Error ? error.message : ''}`.trim(),
    )
  }
}

async function readBounded(path: string, name: string): Promise<Uint8Array> {
  const file = await open(path).catch(() => {
    throw new Error(`The audio file ${name} cannot be opened.`)
  })
  try {
    const { size } = await file.stat()
    if (size > maxFileBytes) throw new Error(`The audio file ${name} is larger than ${maxFileBytes} bytes.`)
    return await file.readFile()
  } finally {
    await file.close()
  }
}

function mixDown(samples: Int16Array, channels: number): Int16Array {
  if (channels === 1) return samples
  return Int16Array.from({ length: Math.floor(samples.length / channels) }, (_, frame) => {
    let sum = 0
    for (let channel = 0; channel < channels; channel++) sum += samples[frame * channels + channel]!
    return Math.round(sum / channels)
  })
}
