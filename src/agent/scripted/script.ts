// A script: what the scripted agent says and asks, step by step, as it stands in an agent's connection.
import { z } from 'zod'
import { complaintOf } from '../settings-fields.ts'
import { voices } from './voice.ts'

const maxSteps = 200
const maxTextChars = 2_000
const maxPauseMs = 60_000
const maxWaitMs = 60_000
const maxAttempts = 10
const maxDigits = 32

const stepName = z.string('must be the name of a step').min(1, 'must not be empty').max(100, 'is too long')
const resultName = z.string('must be a name').min(1, 'must not be empty').max(100, 'is too long')
const keyPattern = /^[0-9*#]$/

/** What is heard: a text (may hold `{{variables}}`), or a WAV file in the folder of audio files. */
const text = z
  .string('must be a text')
  .min(1, 'must not be empty')
  .max(maxTextChars, `has over ${maxTextChars} characters`)
const file = z
  .string('must be the name of a file')
  .regex(/^[\w][\w .-]{0,100}\.wav$/i, 'must be the plain name of a .wav file in the audio folder')

const sound = {
  say: text.optional(),
  play: file.optional(),
}
const oneSound = (value: { say?: unknown; play?: unknown }) =>
  (value.say === undefined) !== (value.play === undefined)
const oneSoundSentence = 'must have either say or play'

const question = {
  ...sound,
  /** Where the answer is kept; absent: nowhere. */
  result: resultName.optional(),
  /** How long to wait after the prompt, and between two keys. */
  timeoutMs: z
    .int()
    .min(500, 'must be at least 500')
    .max(maxWaitMs, `must be at most ${maxWaitMs}`)
    .default(5_000),
  /** How often the prompt is said at most. */
  attempts: z
    .int()
    .min(1, 'must be at least 1')
    .max(maxAttempts, `must be at most ${maxAttempts}`)
    .default(2),
  /** Where to go on without an answer; absent: the next step. */
  otherwise: stepName.optional(),
}

const choice = z.strictObject({
  /** Absent: the next step. */
  goTo: stepName.optional(),
  /** What is kept as the result; absent: the key. */
  value: z.union([z.string().max(maxTextChars), z.number(), z.boolean()]).optional(),
})

const menu = z
  .strictObject({
    ...question,
    keys: z
      .record(z.string().regex(keyPattern, 'must be one of 0 to 9, * and #'), choice)
      .refine(keys => Object.keys(keys).length > 0, 'must name at least one key'),
  })
  .refine(oneSound, oneSoundSentence)

const digits = z
  .strictObject({
    ...question,
    min: z.int().min(1, 'must be at least 1').max(maxDigits, `must be at most ${maxDigits}`).default(1),
    max: z
      .int()
      .min(1, 'must be at least 1')
      .max(maxDigits, `must be at most ${maxDigits}`)
      .default(maxDigits),
    endKey: z.enum(['#', '*'], 'must be # or *').nullable().default('#'),
  })
  .refine(oneSound, oneSoundSentence)
  .refine(({ min, max }) => min <= max, { path: ['max'], error: 'must not be smaller than min' })

/** Waits until they have said something and are silent again, as people do who take turns. */
const listen = z.strictObject({
  /** So long they may take in all. */
  maxMs: z
    .int()
    .min(500, 'must be at least 500')
    .max(maxWaitMs, `must be at most ${maxWaitMs}`)
    .default(8_000),
  /** Silence after their words that ends them. */
  silenceMs: z.int().min(100, 'must be at least 100').max(5_000, 'must be at most 5000').default(800),
  /** Where to go on when they said nothing; absent: the next step. */
  otherwise: stepName.optional(),
})

/** What a step can do; each step does one of these. */
const actions = {
  say: text,
  play: file,
  pauseMs: z
    .int('must be a whole number')
    .min(20, 'must be at least 20')
    .max(maxPauseMs, `must be at most ${maxPauseMs}`),
  listen,
  menu,
  digits,
  /** Results that are known without asking; texts may hold `{{variables}}`. */
  set: z.record(resultName, z.union([z.string().max(maxTextChars), z.number(), z.boolean(), z.null()])),
  pressKeys: z.string('must be a text').regex(/^[0-9*#A-D]{1,32}$/, 'may hold 0-9, *, # and A-D'),
  doNotCallAgain: z.literal(true, 'must be true'),
  goTo: stepName,
  hangUp: z.literal(true, 'must be true'),
}
type Actions = { [Name in keyof typeof actions]: z.output<(typeof actions)[Name]> }
export type ActionName = keyof Actions
export type Menu = Actions['menu']
export type Digits = Actions['digits']
export type Listen = Actions['listen']

/** `{ does: 'say', value: 'Hello.' }`, and so on for each action. */
export type Action = { [Name in ActionName]: { does: Name; value: Actions[Name] } }[ActionName]
export type Step = Action & { name: string | null }

const actionNames = Object.keys(actions) as ActionName[]

/** A step as it is written, `{ "say": "Hello." }` with an optional `name`, becomes one that says what it does. */
const step = z.record(z.string(), z.unknown(), 'must be an object').transform((written, context): Step => {
  const found = actionNames.filter(name => name in written)
  const unknown = Object.keys(written).filter(key => key !== 'name' && !Object.hasOwn(actions, key))
  const does = found[0]
  if (does === undefined || found.length > 1 || unknown.length > 0) {
    const wrong = unknown.length > 0 ? `does not know ${unknown.join(', ')}; it` : ''
    context.addIssue(`${wrong} must have exactly one of ${actionNames.join(', ')}`.trim())
    return z.NEVER
  }
  const value = actions[does].safeParse(written[does])
  const name = stepName.optional().safeParse(written.name)
  for (const [key, result] of [
    [does, value],
    ['name', name],
  ] as const) {
    for (const issue of result.error?.issues ?? []) {
      context.addIssue({ code: 'custom', path: [key, ...issue.path], message: complaintOf(issue) })
    }
  }
  return { name: name.data ?? null, does, value: value.data } as Step
})

export const scriptedSettings = z
  .strictObject({
    kind: z.literal('scripted'),
    voice: z.enum(voices, `must be one of ${voices.join(', ')}`).default('slt'),
    speed: z
      .number('must be a number')
      .min(0.5, 'must be at least 0.5')
      .max(2, 'must be at most 2')
      .default(1),
    steps: z
      .array(step, 'must be a list of steps')
      .min(1, 'must have a step')
      .max(maxSteps, `may have at most ${maxSteps} steps`),
    /** Set by the server, never by a client: where the audio files are. */
    audioDir: z.string().optional(),
  })
  .superRefine(({ steps }, context) => {
    const names = steps.flatMap(({ name }) => (name === null ? [] : [name]))
    for (const [index, { name }] of steps.entries()) {
      if (name !== null && names.indexOf(name) !== names.lastIndexOf(name))
        context.addIssue({
          code: 'custom',
          path: ['steps', index, 'name'],
          message: 'is the name of two steps',
        })
    }
    for (const [index, { path, name }] of steps.flatMap((each, index) =>
      targetsOf(each).map(target => [index, target] as const),
    )) {
      if (!names.includes(name))
        context.addIssue({
          code: 'custom',
          path: ['steps', index, ...path],
          message: `names no step: ${name}`,
        })
    }
  })

export type Script = z.output<typeof scriptedSettings>

/** Every step that another can lead to, with where it is named. */
function targetsOf(step: Step): { path: string[]; name: string }[] {
  if (step.does === 'goTo') return [{ path: ['goTo'], name: step.value }]
  if (step.does !== 'menu' && step.does !== 'digits' && step.does !== 'listen') return []
  const { otherwise } = step.value
  const targets = otherwise === undefined ? [] : [{ path: [step.does, 'otherwise'], name: otherwise }]
  if (step.does !== 'menu') return targets
  const choices = Object.entries(step.value.keys)
  return [
    ...targets,
    ...choices.flatMap(([key, { goTo }]) =>
      goTo === undefined ? [] : [{ path: ['menu', 'keys', key, 'goTo'], name: goTo }],
    ),
  ]
}
