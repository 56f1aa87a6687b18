// The line as a script's steps see it: wait until something was heard, or for a key. Time is the audio's own, so that
// no timer is needed: waiting five seconds is playing five seconds of silence.
import { createVoiceGate } from '../../media/amd.ts'
import { frameMs, ulawSilence } from '../../media/g711.ts'
import type { CallLeg } from '../agent.ts'

export interface TelephoneLine {
  /** Queues audio; resolves when it has been played. */
  play(audio: Uint8Array): Promise<void>
  /** Silence; resolves when it is over. */
  pause(ms: number): Promise<void>
  /** The next key, also one that was pressed before; null: none came while `audio` and then `timeoutMs` passed. */
  keyAfter(audio: Uint8Array | null, timeoutMs: number): Promise<string | null>
  /** Resolves when they have spoken and then been silent for `silenceMs`; false: not a word came within `maxMs`. */
  listen(maxMs: number, silenceMs: number): Promise<boolean>
  /** The leg's events. */
  hear(frame: Uint8Array): void
  keyPressed(key: string): void
  markPlayed(name: string): void
}

const bytesPerMs = 8
/** Keys pressed ahead of their question. */
const maxKeysAhead = 32

/** Shorter noises are clicks, not words. */
const minWordMs = 100

/** Promises of a call that has ended stay open for ever, and are collected with it. */
export function createTelephoneLine(leg: CallLeg): TelephoneLine {
  const keys: string[] = []
  const waitingMarks = new Map<string, () => void>()
  const isVoice = createVoiceGate()
  let takeKey: (() => void) | null = null
  let ear: ((isLoud: boolean) => void) | null = null
  let marks = 0

  const marked = (reached: () => void) => {
    const name = `script-${++marks}`
    waitingMarks.set(name, reached)
    leg.mark(name)
  }
  const play = (audio: Uint8Array) =>
    new Promise<void>(resolve => {
      leg.play(audio)
      marked(resolve)
    })

  return {
    play,
    pause: ms => play(silence(ms)),
    keyAfter(audio, timeoutMs) {
      const ahead = keys.shift()
      if (ahead !== undefined) return Promise.resolve(ahead)
      return new Promise(resolve => {
        const settle = () => {
          if (takeKey !== settle) return
          takeKey = null
          resolve(keys.shift() ?? null)
        }
        takeKey = settle
        if (audio !== null) leg.play(audio)
        leg.play(silence(timeoutMs))
        marked(settle)
      })
    },
    listen(maxMs, silenceMs) {
      let voiceMs = 0
      let quietMs = 0
      return new Promise(resolve => {
        const settle = () => {
          if (ear !== listen) return
          ear = null
          resolve(voiceMs >= minWordMs)
          leg.clear()
        }
        const listen = (isLoud: boolean) => {
          if (isLoud) voiceMs += frameMs
          quietMs = isLoud ? 0 : quietMs + frameMs
          if (quietMs < silenceMs) return
          if (voiceMs >= minWordMs) settle()
          voiceMs = 0
        }
        ear = listen
        leg.play(silence(maxMs))
        marked(settle)
      })
    },
    // The gate learns the noise of the line from the answer on, also while nobody listens.
    hear(frame) {
      const isLoud = isVoice(frame)
      ear?.(isLoud)
    },
    keyPressed(key) {
      if (keys.length >= maxKeysAhead) return
      keys.push(key)
      const settle = takeKey
      if (settle === null) return
      settle()
      // Who presses a key has heard enough.
      leg.clear()
    },
    markPlayed(name) {
      const reached = waitingMarks.get(name)
      waitingMarks.delete(name)
      reached?.()
    },
  }
}

function silence(ms: number): Uint8Array {
  return new Uint8Array(Math.ceil(ms / frameMs) * frameMs * bytesPerMs).fill(ulawSilence)
}
