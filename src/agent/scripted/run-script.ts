// Walks one call through its script, step by step.
import { renderVariables } from '../../domain/variables.ts'
import type { CallLeg } from '../agent.ts'
import type { Action, Digits, Listen, Menu, Step } from './script.ts'
import type { TelephoneLine } from './telephone-line.ts'

/** What a step lets be heard. */
export type Sound = { say?: string | undefined; play?: string | undefined }
export type MakeSound = (sound: Sound) => Promise<Uint8Array>

/** A script may lead in circles as long as somebody hears something in each. */
const maxStepsWithoutSound = 1_000

export interface ScriptCall {
  leg: CallLeg
  line: TelephoneLine
  /** Texts come with their variables put in. */
  makeSound: MakeSound
  /** Passes a result on while the call lasts: nothing is begun after its end. */
  whileOpen<Value>(result: Promise<Value>): Promise<Value>
}

/** Ends by hanging up, at the end of the script at the latest. Rejects when a sound cannot be made. */
export async function runScript(steps: readonly Step[], call: ScriptCall): Promise<void> {
  const run: ScriptRun = { ...call, results: {} }
  const places = new Map(steps.map((step, index) => [step.name, index]))
  let silentSteps = 0
  for (let at = 0; at < steps.length; ) {
    const step = steps[at]!
    silentSteps = isHeard(step) ? 0 : silentSteps + 1
    if (silentSteps > maxStepsWithoutSound) throw new Error('The script goes round in circles.')
    const next = await perform(step, run)
    if (next === hangUp) break
    at = next === null ? at + 1 : places.get(next)!
  }
  call.leg.hangUp('when-played')
}

interface ScriptRun extends ScriptCall {
  /** So far: they can be named in texts like the row's variables. */
  results: Record<string, unknown>
}

const hangUp = Symbol('hang up')

/** Where to go on: a step's name, null for the next one. */
type Next = string | null | typeof hangUp

function isHeard({ does }: Action): boolean {
  return ['say', 'play', 'pauseMs', 'listen', 'menu', 'digits'].includes(does)
}

async function perform(step: Step, run: ScriptRun): Promise<Next> {
  switch (step.does) {
    case 'say':
    case 'play':
      await run.whileOpen(run.line.play(await sound({ [step.does]: step.value }, run)))
      return null
    case 'pauseMs':
      await run.whileOpen(run.line.pause(step.value))
      return null
    case 'listen':
      return listenTo(step.value, run)
    case 'menu':
      return chooseFrom(step.value, run)
    case 'digits':
      return askForDigits(step.value, run)
    case 'goTo':
      return step.value
    case 'hangUp':
      return hangUp
    default:
      note(step, run)
      return null
  }
}

/** Steps that pass in no time. */
function note(step: Action, run: ScriptRun): void {
  if (step.does === 'pressKeys') run.leg.pressKeys(step.value)
  if (step.does === 'doNotCallAgain') run.leg.doNotCallAgain()
  if (step.does !== 'set') return
  for (const [name, value] of Object.entries(step.value)) {
    keep(name, typeof value === 'string' ? render(value, run) : value, run)
  }
}

async function listenTo({ maxMs, silenceMs, otherwise }: Listen, run: ScriptRun): Promise<Next> {
  const spoke = await run.whileOpen(run.line.listen(maxMs, silenceMs))
  return spoke ? null : (otherwise ?? null)
}

/** A wrong key counts as an attempt, as silence does. */
async function chooseFrom(menu: Menu, run: ScriptRun): Promise<Next> {
  const prompt = await sound(menu, run)
  for (let attempt = 1; attempt <= menu.attempts; attempt++) {
    const key = await run.whileOpen(run.line.keyAfter(prompt, menu.timeoutMs))
    const choice = key === null ? undefined : menu.keys[key]
    if (choice === undefined) continue
    hearKeys(key!, run)
    keep(menu.result, choice.value ?? key, run)
    return choice.goTo ?? null
  }
  return menu.otherwise ?? null
}

async function askForDigits(digits: Digits, run: ScriptRun): Promise<Next> {
  const prompt = await sound(digits, run)
  for (let attempt = 1; attempt <= digits.attempts; attempt++) {
    const keys = await collectDigits(digits, prompt, run)
    if (keys.length < digits.min) continue
    hearKeys(keys, run)
    keep(digits.result, keys, run)
    return null
  }
  return digits.otherwise ?? null
}

/** Keys up to the end key, the longest answer, or a pause. */
async function collectDigits(
  { max, endKey, timeoutMs }: Digits,
  prompt: Uint8Array,
  { line, whileOpen }: ScriptRun,
): Promise<string> {
  let keys = ''
  while (keys.length < max) {
    const key = await whileOpen(line.keyAfter(keys === '' ? prompt : null, timeoutMs))
    if (key === null || key === endKey) break
    keys += key
  }
  return keys
}

/** Texts are put down in the transcript as they are said. */
async function sound({ say, play }: Sound, run: ScriptRun): Promise<Uint8Array> {
  if (say === undefined) return run.whileOpen(run.makeSound({ play }))
  const text = render(say, run)
  const audio = await run.whileOpen(run.makeSound({ say: text }))
  run.leg.addTranscript({ role: 'agent', message: text, at: run.leg.now() })
  return audio
}

function hearKeys(keys: string, { leg }: ScriptRun): void {
  leg.addTranscript({ role: 'human', message: `[pressed ${keys}]`, at: leg.now() })
}

function keep(name: string | undefined, value: unknown, run: ScriptRun): void {
  if (name === undefined) return
  run.results[name] = value
  run.leg.setResult(name, value)
}

function render(text: string, { leg, results }: ScriptRun): string {
  return renderVariables(text, { ...leg.variables, ...results }).text
}
