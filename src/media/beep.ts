// The beep of an answering machine: one steady frequency for 100 ms and more, and then quiet. Told when it has ended,
// since that is when the recorder listens. Vowels glide, keys and ring-back are two tones, SIT is three: none is a beep.
import { levelOf } from './amd.ts'
import { frameMs, ulawToPcm } from './g711.ts'
import { maxToneHz, minToneHz, strongestTone, type Tone } from './tone.ts'

export interface Beep {
  frequencyHz: number
  /** Within 40 ms. */
  durationMs: number
}

export interface BeepEar {
  /** One frame (160 bytes of µ-law, 20 ms); the beep, 60 ms after its end. */
  hear(frame: Uint8Array): Beep | null
}

/** Whole frames that a beep of 100 ms fills wherever it begins. */
const minBeepFrames = 4
/** A longer tone is a line test, a dial tone or a fax. */
const maxBeepMs = 4000
/** Over speech; a tone 5 dB above noise has 0.76. */
const minPurity = 0.75
/** Peak, 16-bit scale: −39 dBm0. */
const minAmplitude = 250
/** A cheap look first: mean of |sample| of the weakest tone. */
const minLevel = (minAmplitude * 2) / Math.PI
/** Estimates of a steady tone 5 dB above noise stay within this of their mean; a sung vowel does not. */
const maxDriftHz = 15
const maxDriftRatio = 1.4
/** How far the bounds of the range are stretched for a machine's crystal and our estimate. */
const edgeHz = 8
/** Frames after a tone that must hold no other, and be quieter than half of it. */
const quietFrames = 3

/** Steady frames in a row. */
interface Run {
  frames: number
  frequencyHz: number
  amplitude: number
}

export function createBeepEar(): BeepEar {
  let run: Run | null = null
  /** Tones that followed each other without a pause. */
  let melody: Run[] = []
  let quiet = 0
  return {
    hear(frame) {
      const level = levelOf(frame)
      const tone = level < minLevel ? null : toneOf(frame)
      if (tone !== null && run !== null && continues(run, tone)) {
        run = extended(run, tone)
        return null
      }
      if (run !== null && run.frames >= minBeepFrames) {
        melody.push(run)
        quiet = 0
      }
      run = tone === null ? null : { frames: 1, ...tone }
      const last = melody.at(-1)
      if (last === undefined) return null
      if (tone !== null) return null
      quiet++
      // What goes on as loud as the tone was speech or music that held a note. The first frame may hold the tone's end.
      if (quiet > 1 && level > last.amplitude / Math.PI) melody = []
      if (quiet < quietFrames) return null
      const beep = beepOf(melody)
      melody = []
      return beep
    },
  }
}

function toneOf(frame: Uint8Array): Tone | null {
  const tone = strongestTone(ulawToPcm(frame))
  if (tone === null || tone.purity < minPurity || tone.amplitude < minAmplitude) return null
  return tone.frequencyHz >= minToneHz - edgeHz && tone.frequencyHz <= maxToneHz + edgeHz ? tone : null
}

function continues(run: Run, tone: Tone): boolean {
  const ratio = tone.amplitude / run.amplitude
  return (
    Math.abs(tone.frequencyHz - run.frequencyHz) <= maxDriftHz &&
    ratio <= maxDriftRatio &&
    ratio >= 1 / maxDriftRatio
  )
}

/** Frequency and amplitude of a run are the mean over its frames. */
function extended(run: Run, tone: Tone): Run {
  const frames = run.frames + 1
  return {
    frames,
    frequencyHz: run.frequencyHz + (tone.frequencyHz - run.frequencyHz) / frames,
    amplitude: run.amplitude + (tone.amplitude - run.amplitude) / frames,
  }
}

/** Of several tones in a row the last one is the beep, unless they are the network's. */
function beepOf(melody: readonly Run[]): Beep | null {
  const last = melody.at(-1)
  if (last === undefined || isNetworkTone(melody)) return null
  const durationMs = last.frames * frameMs
  return durationMs > maxBeepMs ? null : { frequencyHz: Math.round(last.frequencyHz), durationMs }
}

/** Special information tones (ITU-T E.180 §7.1, with North America's lower variants), Hz. */
const informationTones = [
  [914, 985],
  [1371, 1429],
  [1777, 1777],
] as const
const informationEdgeHz = 30

function isNetworkTone(melody: readonly Run[]): boolean {
  return (
    melody.length === informationTones.length &&
    informationTones.every(([low, high], at) => {
      const heard = melody[at]!.frequencyHz
      return heard >= low - informationEdgeHz && heard <= high + informationEdgeHz
    })
  )
}
