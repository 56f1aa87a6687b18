// {{name}} in an agent's texts becomes what the recipient's row holds under that name.

/** Longest name between the braces, in characters; anything longer is left as it stands. */
const maxNameChars = 200
const placeholder = new RegExp(`\\{\\{([^{}]{1,${maxNameChars}})\\}\\}`, 'g')

/**
 * Replaces each `{{name}}` by the row's value. A name is looked up as it is written, then without regard to case (file
 * headers rarely keep it); spaces inside the braces do not matter. An unknown name becomes nothing and is reported, once:
 * an agent should rather say "Hello ." than read braces aloud. Values are put in as they are and never read again for
 * placeholders; nothing is evaluated. Objects and lists are put in as JSON.
 */
export function renderVariables(
  text: string,
  variables: Readonly<Record<string, unknown>>,
): { text: string; unknown: string[] } {
  const unknown = new Set<string>()
  let anyCase: Map<string, string> | null = null
  const rendered = text.replace(placeholder, (_, written: string) => {
    const name = written.trim()
    if (Object.hasOwn(variables, name)) return spoken(variables[name])
    anyCase ??= keysWithoutCase(variables)
    const key = anyCase.get(name.toLowerCase())
    if (key !== undefined) return spoken(variables[key])
    unknown.add(name)
    return ''
  })
  return { text: rendered, unknown: [...unknown] }
}

/** Of keys that differ only in case the first one counts. */
function keysWithoutCase(variables: Readonly<Record<string, unknown>>): Map<string, string> {
  const keys = new Map<string, string>()
  for (const key of Object.keys(variables)) if (!keys.has(key.toLowerCase())) keys.set(key.toLowerCase(), key)
  return keys
}

function spoken(value: unknown): string {
  if (value === null || value === undefined) return ''
  return typeof value === 'object' ? JSON.stringify(value) : String(value)
}
