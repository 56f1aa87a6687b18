// `node scripts/make-docs.ts [--check]`: writes the generated parts of docs/, or says which of them are stale.
import { readFileSync, writeFileSync } from 'node:fs'
import type { Command } from 'commander'
import { z } from 'zod'
import { renderScale } from '../bench/scale.ts'
import { createProgram } from '../src/cli/program.ts'
import { processTerminal } from '../src/cli/terminal.ts'
import { environment } from '../src/config.ts'

interface GeneratedPart {
  page: string
  /** Stands in the page between `<!-- generated: NAME -->` and `<!-- end of NAME -->`. */
  name: string
  render(): string
}

const parts: readonly GeneratedPart[] = [
  { page: 'docs/guide/configuration.md', name: 'settings', render: renderSettings },
  { page: 'docs/guide/command-line.md', name: 'commands', render: renderCommands },
  { page: 'docs/scale.md', name: 'scale', render: renderScale },
]

const stale = parts.filter(part => !update(part, process.argv.includes('--check')))
for (const { page, name } of stale)
  console.error(`${page}: the part "${name}" is stale. Run: node scripts/make-docs.ts`)
process.exitCode = stale.length === 0 ? 0 : 1

/** True when the page is fresh (afterwards). */
function update({ page, name, render }: GeneratedPart, checkOnly: boolean): boolean {
  const text = readFileSync(page, 'utf8')
  const [open, close] = [`<!-- generated: ${name} -->\n`, `<!-- end of ${name} -->`]
  const [start, end] = [text.indexOf(open), text.indexOf(close)]
  if (start === -1 || end === -1) throw new Error(`${page} lacks ${open.trim()} … ${close}`)
  const fresh = `${text.slice(0, start + open.length)}\n${render()}\n\n${text.slice(end)}`
  if (fresh === text) return true
  if (checkOnly) return false
  writeFileSync(page, fresh)
  return true
}

interface SettingSchema {
  description?: string
  default?: unknown
  type?: string
  enum?: string[]
  minimum?: number
  maximum?: number
  minLength?: number
}

function renderSettings(): string {
  const { properties } = z.toJSONSchema(environment, { io: 'input' })
  const rows = Object.entries(properties as Record<string, SettingSchema>).map(
    ([name, setting]) =>
      `| \`${name}\` | ${defaultOf(setting)} | ${rangeOf(setting)} | ${setting.description ?? ''} |`,
  )
  return ['| variable | default | values | what it is for |', '|---|---|---|---|', ...rows].join('\n')
}

function defaultOf(setting: SettingSchema): string {
  return setting.default === undefined ? 'unset' : `\`${setting.default}\``
}

function rangeOf({ type, enum: words, minimum, maximum, minLength }: SettingSchema): string {
  if (words !== undefined) return words.map(word => `\`${word}\``).join(' ')
  if (minLength !== undefined) return `${minLength} characters and more`
  if (type === 'string') return 'text'
  const kind = type === 'integer' ? 'whole number' : 'number'
  if (minimum === undefined && maximum === undefined) return kind
  if (maximum === undefined) return `${kind}, at least ${minimum}`
  return minimum === undefined ? `${kind}, at most ${maximum}` : `${kind}, ${minimum} to ${maximum}`
}

function renderCommands(): string {
  return commandsOf(createProgram(processTerminal()), 'outdial').join('\n\n')
}

/** A command's help, then its subcommands'. */
function commandsOf(command: Command, name: string): string[] {
  const help = command.helpInformation().trim()
  const below = command.commands.filter(child => child.name() !== 'help')
  return [
    `### ${name}\n\n\`\`\`text\n${help}\n\`\`\``,
    ...below.flatMap(child => commandsOf(child, `${name} ${child.name()}`)),
  ]
}
