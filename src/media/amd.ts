// Person or machine? An automaton over the loud and quiet frames that follow the answer, after Asterisk's: words,
// gaps and silences are timed. It errs towards people: hanging up on one is worse than talking to a recorder.
import { frameBytes, frameMs, ulawToPcm } from './g711.ts'

/** All in ms of line time, counted in frames of 20 ms from the answer. */
export interface AmdSettings {
  /** Nothing said for so long after the answer: unsure, since recorders begin at once and people may hesitate. */
  initialSilenceMs: number
  /** More speech than this, gaps not counted, is a recorded greeting. */
  greetingMs: number
  /** Silence of this length after speech is somebody waiting for an answer. */
  afterGreetingSilenceMs: number
  /** Still unsure after this: it stays so. */
  totalMs: number
  /** Shorter noises are clicks, not words. */
  minWordMs: number
  /** Quiet of this length ends a word. */
  minGapMs: number
  /** More words than this are a recorded greeting. */
  maxWords: number
}

/** Asterisk's own: quick, and hard on whoever answers with more than a hello. */
export const asteriskAmd: AmdSettings = {
  initialSilenceMs: 2500,
  greetingMs: 1500,
  afterGreetingSilenceMs: 800,
  totalMs: 5000,
  minWordMs: 100,
  minGapMs: 50,
  maxWords: 3,
}

/**
 * Ours, chosen on the tuning half of the corpus (docs/guide/answering-machines.md). A firm's greeting takes four to five
 * seconds, recorders pause for more than one before they beep, and since the agent talks and hears meanwhile, a later
 * verdict costs a person nothing.
 */
export const usualAmd: AmdSettings = {
  ...asteriskAmd,
  greetingMs: 5000,
  afterGreetingSilenceMs: 1500,
  totalMs: 10_000,
  maxWords: 14,
}

export type AmdCause =
  | 'initial-silence'
  | 'silence-after-greeting'
  | 'long-greeting'
  | 'many-words'
  | 'too-long'
  /** Not the automaton's: the beep came before it had made up its mind (machine-watch.ts). */
  | 'beep'

export interface AmdVerdict {
  verdict: 'human' | 'machine' | 'unsure'
  cause: AmdCause
  /** Line time since the first frame, ms. */
  afterMs: number
}

export interface Amd {
  /** One frame (160 bytes of µ-law, 20 ms) since the answer. The verdict, once; null before and after it. */
  hear(frame: Uint8Array): AmdVerdict | null
}

/** What has been heard so far, in ms. */
interface Heard {
  elapsedMs: number
  /** Loud frames in all, gaps not counted. */
  voiceMs: number
  words: number
  /** Loud frames since the last gap, and quiet ones since the last word. */
  wordMs: number
  quietMs: number
}

/** Listens to a call from its answer on; never hears again once it has said what it thinks. */
export function createAmd(settings: AmdSettings = usualAmd): Amd {
  const isLoud = createVoiceGate()
  let heard: Heard = { elapsedMs: 0, voiceMs: 0, words: 0, wordMs: 0, quietMs: 0 }
  let decided = false
  return {
    hear(frame) {
      if (decided) return null
      heard = listen(heard, isLoud(frame), settings)
      const verdict = judge(heard, settings)
      decided = verdict !== null
      return verdict
    },
  }
}

function listen(heard: Heard, loud: boolean, { minWordMs, minGapMs }: AmdSettings): Heard {
  const elapsedMs = heard.elapsedMs + frameMs
  if (!loud) {
    const quietMs = heard.quietMs + frameMs
    return { ...heard, elapsedMs, quietMs, wordMs: quietMs >= minGapMs ? 0 : heard.wordMs }
  }
  const wordMs = heard.wordMs + frameMs
  const isWord = wordMs >= minWordMs
  const isNew = isWord && heard.wordMs < minWordMs
  return {
    elapsedMs,
    voiceMs: heard.voiceMs + (isNew ? wordMs : isWord ? frameMs : 0),
    words: heard.words + (isNew ? 1 : 0),
    wordMs,
    // A click does not break a silence.
    quietMs: isWord ? 0 : heard.quietMs,
  }
}

function judge(heard: Heard, settings: AmdSettings): AmdVerdict | null {
  const say = (verdict: AmdVerdict['verdict'], cause: AmdCause): AmdVerdict => ({
    verdict,
    cause,
    afterMs: heard.elapsedMs,
  })
  const { words, voiceMs, quietMs, elapsedMs } = heard
  if (words > settings.maxWords) return say('machine', 'many-words')
  if (voiceMs > settings.greetingMs) return say('machine', 'long-greeting')
  if (words > 0 && quietMs >= settings.afterGreetingSilenceMs) return say('human', 'silence-after-greeting')
  if (words === 0 && elapsedMs >= settings.initialSilenceMs) return say('unsure', 'initial-silence')
  return elapsedMs >= settings.totalMs ? say('unsure', 'too-long') : null
}

/** Mean of |sample| in 16-bit scale: −42 dBm0; far voices are at −30. Asterisk's 256 is deaf to those. */
const minThreshold = 100
/** So far over the quietest stretch heard lies speech; a hissing line has its threshold raised, up to a limit. */
const overNoise = 2.5
const maxThreshold = 1200
/** Whoever speaks at once makes the quietest stretch a loud one, until they draw breath: the limit of the first second. */
const firstMaxThreshold = 400
const firstFrames = 50
/** A stretch is so many frames: speech has shorter lulls that are no noise. */
const stretchFrames = 3
/** Below lies digital silence: a switch's or a hole in the network, and no noise of the line. */
const minNoise = 4

/** Tells loud frames from quiet ones, over the noise of this line. */
export function createVoiceGate(): (frame: Uint8Array) => boolean {
  const stretch: number[] = []
  let floor = Number.POSITIVE_INFINITY
  let frames = 0
  return frame => {
    const level = levelOf(frame)
    if (level < minNoise) return false
    frames++
    stretch.push(level)
    if (stretch.length > stretchFrames) stretch.shift()
    if (stretch.length === stretchFrames) floor = Math.min(floor, Math.max(...stretch))
    const limit = frames < firstFrames ? firstMaxThreshold : maxThreshold
    return level > Math.max(minThreshold, Math.min(floor * overNoise, limit))
  }
}

const magnitudes = ulawToPcm(Uint8Array.from({ length: 256 }, (_, byte) => byte)).map(Math.abs)

/** Mean of |sample| over a frame, 16-bit scale. */
export function levelOf(frame: Uint8Array): number {
  let sum = 0
  for (const byte of frame) sum += magnitudes[byte]!
  return sum / frameBytes
}
