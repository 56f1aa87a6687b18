// The tools that every agent gets on a telephone call, and what they do to the call.
import type { CallLeg } from '../agent.ts'

const maxResults = 100
const maxResultNameChars = 200
const maxArgumentsChars = 64 * 1024
const keysPattern = /^[0-9*#A-D]{1,32}$/

const tool = (name: string, description: string, properties: object, required: string[] = []) => ({
  type: 'function',
  name,
  description,
  parameters: { type: 'object', properties, required },
})

/** In the shape of the service's session. */
export const tools = [
  tool('end_call', 'Hangs up. Say goodbye first.', {}),
  tool(
    'press_keys',
    'Presses keys of the telephone, for example in a menu.',
    { keys: { type: 'string', description: 'One or more of 0-9, *, # and A-D.' } },
    ['keys'],
  ),
  tool(
    'do_not_call_again',
    'The person asks not to be called again: the number is never dialled any more.',
    {},
  ),
  tool(
    'set_results',
    'Keeps what was found out in the call, by name. May be used several times.',
    { results: { type: 'object', description: 'Names and values.', additionalProperties: true } },
    ['results'],
  ),
]

export interface ToolAnswer {
  /** What the agent is told. */
  output: string
  endsCall: boolean
}

/** Carries out one call of a tool. Never throws: what is wrong is told to the agent, so that it can mend it. */
export function useTool(name: string, argumentsJson: string, leg: CallLeg): ToolAnswer {
  const given = readArguments(argumentsJson)
  if (given === null) return answer('The arguments are no JSON object.')
  switch (name) {
    case 'end_call':
      return { output: 'ok', endsCall: true }
    case 'press_keys':
      return pressKeys(given.keys, leg)
    case 'do_not_call_again':
      leg.doNotCallAgain()
      return answer('ok')
    case 'set_results':
      return setResults(given.results, leg)
    default:
      return answer('There is no such tool.')
  }
}

function pressKeys(keys: unknown, leg: CallLeg): ToolAnswer {
  if (typeof keys !== 'string' || !keysPattern.test(keys)) {
    return answer('keys must be 1 to 32 of 0-9, *, # and A-D.')
  }
  leg.pressKeys(keys)
  return answer('ok')
}

function setResults(results: unknown, leg: CallLeg): ToolAnswer {
  if (!isObject(results)) return answer('results must be an object.')
  const entries = Object.entries(results)
  if (entries.length > maxResults || entries.some(([name]) => name.length > maxResultNameChars)) {
    return answer(`results may hold ${maxResults} names of ${maxResultNameChars} characters.`)
  }
  for (const [name, value] of entries) leg.setResult(name, value)
  return answer('ok')
}

function readArguments(json: string): Record<string, unknown> | null {
  if (json.trim() === '') return {}
  if (json.length > maxArgumentsChars) return null
  try {
    const value: unknown = JSON.parse(json)
    return isObject(value) ? value : null
  } catch {
    return null
  }
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function answer(output: string): ToolAnswer {
  return { output, endsCall: false }
}
