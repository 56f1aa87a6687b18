// Plays the corpus to what is judged, frame by frame as a line would, and counts what it took whom for.
import { type AmdSettings, type AmdVerdict, createAmd } from '../../../src/media/amd.ts'
import { type Beep, createBeepEar } from '../../../src/media/beep.ts'
import { frameBytes, frameMs } from '../../../src/media/g711.ts'
import { createMachineWatch } from '../../../src/media/machine-watch.ts'
import type { Greeting } from './corpus.ts'
import type { Speaker } from './phrases.ts'

export type Taken = AmdVerdict['verdict']
/** Whom there was, and what they were taken for. */
export type Confusion = Record<Speaker, Record<Taken, number>>

export function* framesOf(ulaw: Uint8Array): Generator<Uint8Array> {
  for (let at = 0; at + frameBytes <= ulaw.length; at += frameBytes) yield ulaw.subarray(at, at + frameBytes)
}

/** What the automaton alone says, deaf to beeps; null: the call ended before. */
export function verdictOn(ulaw: Uint8Array, settings: AmdSettings): AmdVerdict | null {
  const amd = createAmd(settings)
  for (const frame of framesOf(ulaw)) {
    const verdict = amd.hear(frame)
    if (verdict !== null) return verdict
  }
  return null
}

/** What a line does that hangs up on machines: a beep after an unsure verdict proves one too. */
export function takenByLine(ulaw: Uint8Array): { taken: Taken; afterMs: number } {
  const watch = createMachineWatch('hang-up')
  let last: { taken: Taken; afterMs: number } = { taken: 'unsure', afterMs: 0 }
  let atMs = 0
  for (const frame of framesOf(ulaw)) {
    atMs += frameMs
    const news = watch.hear(frame)
    if (news?.order === 'hang-up') return { taken: 'machine', afterMs: atMs }
    if (news?.verdict) last = { taken: news.verdict.verdict, afterMs: news.verdict.afterMs }
  }
  return last
}

export function confusionOf(greetings: readonly Greeting[], take: (ulaw: Uint8Array) => Taken): Confusion {
  const confusion: Confusion = {
    person: { human: 0, machine: 0, unsure: 0 },
    machine: { human: 0, machine: 0, unsure: 0 },
  }
  for (const { ulaw, speaker } of greetings) confusion[speaker][take(ulaw)]++
  return confusion
}

/** A beep, and when it was told, ms of line time. */
export type ToldBeep = Beep & { atMs: number }

export function beepsIn(ulaw: Uint8Array): ToldBeep[] {
  const ear = createBeepEar()
  const told: ToldBeep[] = []
  let atMs = 0
  for (const frame of framesOf(ulaw)) {
    atMs += frameMs
    const beep = ear.hear(frame)
    if (beep !== null) told.push({ ...beep, atMs })
  }
  return told
}

export interface BeepScore {
  /** Recorders that beep, and whose beep was told within 100 ms of its end and 15 Hz of its frequency. */
  beeps: number
  heard: number
  /** Told where there was none, and in how many seconds of sound. */
  falseAlarms: number
  seconds: number
}

const maxLateMs = 100
const maxOffHz = 15

export function beepScoreOf(greetings: readonly Greeting[]): BeepScore {
  const score: BeepScore = { beeps: 0, heard: 0, falseAlarms: 0, seconds: 0 }
  for (const { ulaw, beep } of greetings) {
    const right = (told: ToldBeep) =>
      beep !== null &&
      told.atMs >= beep.endMs &&
      told.atMs <= beep.endMs + maxLateMs &&
      Math.abs(told.frequencyHz - beep.frequencyHz) <= maxOffHz
    const told = beepsIn(ulaw)
    if (beep !== null) score.beeps++
    if (told.some(right)) score.heard++
    score.falseAlarms += told.filter(one => !right(one)).length
    score.seconds += (ulaw.length / frameBytes) * (frameMs / 1000)
  }
  return score
}
