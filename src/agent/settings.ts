// How an agent is reached (`Agent.connection`): checked when the agent is created, completed when a call is placed.
import { z } from 'zod'
import { Refusal } from '../domain/refusal.ts'
import type { Agent } from '../domain/workspace.ts'
import type { AgentSettings } from './agent.ts'
import { mediaStreamSettings } from './media-stream/media-stream-settings.ts'
import { openaiRealtimeSettings } from './openai-realtime/openai-realtime-settings.ts'
import { scriptedSettings } from './scripted/script.ts'
import { complaintOf } from './settings-fields.ts'

const echoSettings = z.strictObject({ kind: z.literal('echo') })

const settingsByKind = {
  echo: echoSettings,
  scripted: scriptedSettings,
  'media-stream': mediaStreamSettings,
  'openai-realtime': openaiRealtimeSettings,
}
export type CheckedSettings = {
  [Kind in keyof typeof settingsByKind]: z.output<(typeof settingsByKind)[Kind]>
}[keyof typeof settingsByKind]

/** Settings that only the server may give: a client's are refused. */
const serverFields = ['audioDir']
/** What nobody is shown again. */
const secretFields = ['apiKey', 'authToken', 'headers']
/** Keys often stand in the query of these, passwords before the host. */
const urlFields = ['url', 'webhookUrl', 'baseUrl']
const hidden = '[hidden]'

/**
 * Checks a connection as a client gave it; it is stored as it was given.
 * @throws Refusal `invalid_agent_connection` with one sentence that holds no value of it
 */
export function checkConnection(connection: Readonly<Record<string, unknown>>): AgentSettings {
  const forbidden = serverFields.find(field => field in connection)
  if (forbidden !== undefined) throw refusal(`connection.${forbidden} cannot be set.`)
  readAgentSettings(connection)
  return connection as unknown as AgentSettings
}

/** Fills in defaults. Throws as `checkConnection` does. */
export function readAgentSettings(settings: Readonly<Record<string, unknown>>): CheckedSettings {
  const kind = settings.kind
  if (typeof kind !== 'string' || !Object.hasOwn(settingsByKind, kind)) {
    throw refusal(`connection.kind must be one of ${Object.keys(settingsByKind).join(', ')}.`)
  }
  const read = settingsByKind[kind as keyof typeof settingsByKind].safeParse(settings)
  if (!read.success) throw refusal(sentenceOf(read.error))
  return read.data
}

/** What the server knows beside an agent's own settings. */
export interface AgentSurroundings {
  /** Folder of the WAV files that scripts play; null: none. */
  audioDir: string | null
  /** For OpenAI agents without a key of their own. */
  openaiApiKey: string | null
}

/**
 * An agent's settings for its calls: prompt and first message stand in the agent, keys and folders in the server. An
 * agent that has only a first message says it and hangs up; one that has neither cannot call: null.
 */
export function settingsForCalls(
  { connection, prompt, firstMessage }: Pick<Agent, 'connection' | 'prompt' | 'firstMessage'>,
  { audioDir, openaiApiKey }: AgentSurroundings,
): AgentSettings | null {
  if (connection === null) {
    return firstMessage === null ? null : { kind: 'scripted', steps: [{ say: firstMessage }] }
  }
  const settings = connection as unknown as AgentSettings
  if (settings.kind === 'scripted' && audioDir !== null) return { ...settings, audioDir }
  if (settings.kind !== 'openai-realtime') return settings
  return {
    ...settings,
    apiKey: settings.apiKey ?? openaiApiKey,
    instructions: settings.instructions ?? prompt,
    firstMessage: settings.firstMessage ?? firstMessage,
  }
}

/** A connection as the API shows it. */
export function withoutSecrets(
  connection: Readonly<Record<string, unknown>> | null,
): Record<string, unknown> | null {
  if (connection === null) return null
  return Object.fromEntries(Object.entries(connection).map(([name, value]) => [name, shown(name, value)]))
}

function shown(name: string, value: unknown): unknown {
  if (secretFields.includes(name) && value !== null) return hidden
  if (!urlFields.includes(name) || typeof value !== 'string') return value
  return value.replace(/\/\/[^/?]*@/, `//${hidden}@`).replace(/\?.*$/s, `?${hidden}`)
}

function refusal(sentence: string): Refusal {
  return new Refusal('invalid', 'invalid_agent_connection', sentence)
}

/** The first thing that is wrong, with its place: `connection.steps[2].menu.keys must name at least one key.` */
function sentenceOf(error: z.ZodError): string {
  const issue = error.issues[0]!
  const path = issue.path.map(part => (typeof part === 'number' ? `[${part}]` : `.${String(part)}`)).join('')
  if (issue.code === 'unrecognized_keys') {
    return `connection${path} has unknown fields: ${issue.keys.join(', ')}.`
  }
  return `connection${path} ${goingOn(complaintOf(issue))}.`
}

/** Our own messages go on from the field's name; the library's begin with a capital. */
function goingOn(message: string): string {
  const text = message.replace(/\.$/, '')
  return /^(must|may|is|has|names|does|or) /.test(text) ? text : `is not right: ${text.toLowerCase()}`
}
