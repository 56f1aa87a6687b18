// The scripted agent: speaks texts and audio files, asks for keys, and leaves the answers as results. No network, no key.
import { renderVariables } from '../../domain/variables.ts'
import type { Clock } from '../../runtime/clock.ts'
import type { AgentSession, CallLeg } from '../agent.ts'
import { readAudioFile } from './audio-file.ts'
import { type MakeSound, runScript, type Sound } from './run-script.ts'
import type { Script, Step } from './script.ts'
import type { Speech } from './speech.ts'
import { createTelephoneLine } from './telephone-line.ts'

/** How long a step waits for its sound. */
const soundTimeoutMs = 20_000

/**
 * Resolves when the first sound is ready, so that it is heard the moment the person answers; the others are made while
 * the telephone rings and while the first one is played.
 */
export async function connectScripted(
  leg: CallLeg,
  script: Script,
  speech: Speech,
  clock: Clock,
): Promise<AgentSession> {
  const prepare = openSounds(script, speech)
  const makeSound: MakeSound = sound => withinTime(prepare(sound), clock)
  const [first, ...others] = soundsOf(script.steps, leg)
  if (first !== undefined) await makeSound(first)
  // A sound that cannot be made is told when its step is reached.
  for (const sound of others) prepare(sound).catch(() => {})
  const line = createTelephoneLine(leg)
  let state: 'waiting' | 'running' | 'over' = 'waiting'
  /** A promise that is settled after the end is forgotten, and what waits for it with it. */
  const whileOpen = <Value>(result: Promise<Value>) =>
    new Promise<Value>((resolve, reject) => {
      result.then(
        value => state !== 'over' && resolve(value),
        error => state !== 'over' && reject(error),
      )
    })
  const fail = (error: unknown) => {
    state = 'over'
    leg.fail(error instanceof Error ? error.message : String(error))
  }
  return {
    answered() {
      if (state !== 'waiting') return
      state = 'running'
      runScript(script.steps, { leg, line, makeSound, whileOpen }).catch(fail)
    },
    hear(frame) {
      if (state === 'running') line.hear(frame)
    },
    keyPressed(digit) {
      if (state === 'running') line.keyPressed(digit)
    },
    markPlayed(name) {
      if (state === 'running') line.markPlayed(name)
    },
    close() {
      state = 'over'
    },
  }
}

/** Silence on an answered call has an end, also when the speech thread has more to do than it can. */
async function withinTime(sound: Promise<Uint8Array>, clock: Clock): Promise<Uint8Array> {
  const late = Promise.withResolvers<never>()
  const timer = clock.at(clock.now() + soundTimeoutMs, () =>
    late.reject(new Error(`What the script says was not ready within ${soundTimeoutMs} ms.`)),
  )
  return Promise.race([sound, late.promise]).finally(() => timer.cancel())
}

/** Sounds of one call, each made once. */
function openSounds({ voice, speed, audioDir }: Script, speech: Speech): MakeSound {
  const made = new Map<string, Promise<Uint8Array>>()
  const make = ({ say, play }: Sound) =>
    say === undefined
      ? readAudioFile(audioDir, play!)
      : speakOrNothing(say, text => speech.speak({ text, voice, speed }))
  return sound => {
    const key = JSON.stringify([sound.say, sound.play])
    const known = made.get(key) ?? make(sound)
    made.set(key, known)
    return known
  }
}

/** A text may be empty once its variables are put in: then nothing is said. */
async function speakOrNothing(
  text: string,
  speak: (text: string) => Promise<Uint8Array>,
): Promise<Uint8Array> {
  return /[\p{L}\p{N}]/u.test(text) ? speak(text) : new Uint8Array()
}

/** In the order of the steps, with the row's variables put in. Texts that name results are made again when reached. */
function soundsOf(steps: readonly Step[], leg: CallLeg): Sound[] {
  return steps.flatMap((step): Sound[] => {
    if (step.does === 'play') return [{ play: step.value }]
    const say =
      step.does === 'say'
        ? step.value
        : step.does === 'menu' || step.does === 'digits'
          ? step.value.say
          : undefined
    if (say !== undefined) return [{ say: renderVariables(say, leg.variables).text }]
    return step.does === 'menu' || step.does === 'digits' ? [{ play: step.value.play }] : []
  })
}
