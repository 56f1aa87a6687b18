// The corpus: every phrase in several voices, at several levels, on clean and noisy lines, as frames of µ-law.
import { synthesize } from '../../../src/agent/scripted/flite.ts'
import type { Voice } from '../../../src/agent/scripted/voice.ts'
import { frameBytes, pcmToUlaw, sampleRateHz, ulawToPcm } from '../../../src/media/g711.ts'
import { type Random, seededRandom } from '../../../src/runtime/random.ts'
import { type Half, phrases, piecesOf, type Speaker } from './phrases.ts'
import { readRecordedSpeech } from './recorded-speech.ts'
import { addNoise, atLevel, joined, noises, silence, sine, trimmed } from './sound-making.ts'

export interface Greeting {
  name: string
  half: Half
  speaker: Speaker
  voice: string
  phrase: string
  /** A recorder's beep; null: it has none. */
  beep: { frequencyHz: number; startMs: number; endMs: number } | null
  ulaw: Uint8Array
}

/** The words of one phrase in one voice: pieces and the pauses between them. */
export interface Speech {
  half: Half
  speaker: Speaker
  voice: string
  phrase: string
  samples: Int16Array
}

export const corpusSeed = 20_261_123
/** On how many different lines each speech is heard. */
const linesPerSpeech = 2

const fliteVoices: Readonly<Record<Half, readonly Voice[]>> = {
  tuning: ['slt', 'rms'],
  'held-out': ['awb', 'kal'],
}

/** The same bytes for the same seed. Takes 12 s on half a busy core, nearly all of it flite's. */
export function makeCorpus(seed: number = corpusSeed): Greeting[] {
  const random = seededRandom(seed)
  return [...fliteSpeeches(), ...readRecordedSpeech()].flatMap(speech =>
    Array.from({ length: linesPerSpeech }, (_, line) => greetingOf(speech, line, random)),
  )
}

function fliteSpeeches(): Speech[] {
  return everyPhrase().flatMap(({ half, speaker, phrase }) =>
    fliteVoices[half].map(voice => {
      const pieces = piecesOf(phrase).map(piece =>
        typeof piece === 'number' ? silence(piece) : spoken(voice, piece),
      )
      return { half, speaker, voice, phrase, samples: joined(pieces) }
    }),
  )
}

function spoken(voice: Voice, text: string): Int16Array {
  return trimmed(ulawToPcm(synthesize({ text, voice, speed: 1 })))
}

function everyPhrase(): { half: Half; speaker: Speaker; phrase: string }[] {
  return (['tuning', 'held-out'] as const).flatMap(half =>
    (['person', 'machine'] as const).flatMap(speaker =>
      phrases[half][speaker].map(phrase => ({ half, speaker, phrase })),
    ),
  )
}

/** People wait for an answer; recorders beep, most of them, and wait too. */
const waitMs = 4000

/** One speech on one line: how long until it begins, how loud, how noisy, which beep. */
function greetingOf(speech: Speech, line: number, random: Random): Greeting {
  const { half, speaker, voice, phrase } = speech
  const between = (low: number, high: number) => low + (high - low) * random()
  const speechLevel = between(-30, -12)
  const words = joined([
    silence(between(100, speaker === 'person' ? 1500 : 800)),
    atLevel(speech.samples, speechLevel),
    silence(between(300, 1200)),
  ])
  const tone = speaker === 'machine' && random() < 0.9 ? beepOf(speechLevel, between, random) : null
  const sound = joined([words, tone?.samples ?? silence(0), silence(waitMs)])
  const startMs = (words.length * 1000) / sampleRateHz
  const endMs = ((words.length + (tone?.samples.length ?? 0)) * 1000) / sampleRateHz
  const noise = noises[Math.floor(random() * noises.length)]!
  const noisy = addNoise(sound, noise, speechLevel - between(18, 35), random)
  return {
    name: `${voice}, line ${line + 1} (${noise}): ${phrase}`,
    half,
    speaker,
    voice,
    phrase,
    beep: tone === null ? null : { frequencyHz: tone.frequencyHz, startMs, endMs },
    ulaw: pcmToUlaw(noisy.subarray(0, noisy.length - (noisy.length % frameBytes))),
  }
}

function beepOf(speechLevel: number, between: (low: number, high: number) => number, random: Random) {
  const usualHz = [440, 700, 850, 1000, 1400, 2000]
  const frequencyHz = random() < 0.5 ? usualHz[Math.floor(random() * usualHz.length)]! : between(440, 2000)
  const samples = sine(frequencyHz, between(100, 900), speechLevel + between(-4, 4))
  return { frequencyHz, samples }
}
