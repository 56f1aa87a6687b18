// Runs a client's program as its vendor printed it: curl in bash, Python with requests, JavaScript in Node.
import { spawn, spawnSync } from 'node:child_process'
import { cp, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

const samplesDir = new URL('../samples/', import.meta.url)

export type Language = 'curl' | 'py' | 'js'

/** What the samples call their files, and what we put there. */
const files: Readonly<Record<string, string>> = {
  'customer_contacts_march.csv': 'customer_contacts_march.csv',
  'formant/contacts.csv': 'formant-contacts.csv',
  'talkifai/contacts.csv': 'talkifai-contacts.csv',
  'example-file': 'talkifai-contacts.csv',
}

export interface Output {
  stdout: string
  stderr: string
}

/** Why a language cannot be run here; null: it can. */
export function missingFor(language: Language): string | null {
  if (language === 'js') return null
  if (language === 'curl') return succeeds('curl', ['--version']) ? null : 'curl'
  return pythonPath() === null ? "Python's requests (Debian: python3-requests)" : null
}

export function languageOf(sample: string): Language {
  return sample.split('.').at(-2) as Language
}

export function readSample(name: string): Promise<string> {
  return readFile(new URL(name, samplesDir), 'utf8')
}

/** Runs `text` in a folder of its own that holds the files it names. @param vendor whose `contacts.csv` lies there */
export async function runSample(
  language: Language,
  text: string,
  vendor: string,
  env: Record<string, string>,
): Promise<Output> {
  const folder = await mkdtemp(join(tmpdir(), 'outdial-sample-'))
  try {
    for (const [name, source] of Object.entries(files)) {
      const [owner, file = owner] = name.split('/') as [string, string?]
      if (file === owner || owner === vendor) await cp(new URL(source, samplesDir), join(folder, file))
    }
    const [command, name] = commands[language]()
    await writeFile(join(folder, name), text)
    return await run(command, [name], folder, env)
  } finally {
    await rm(folder, { recursive: true })
  }
}

const commands: Readonly<Record<Language, () => [command: string, fileName: string]>> = {
  curl: () => ['bash', 'sample.sh'],
  py: () => [pythonPath() ?? 'python3', 'sample.py'],
  js: () => [process.execPath, 'sample.mjs'],
}

function run(command: string, args: string[], cwd: string, env: Record<string, string>): Promise<Output> {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, { cwd, env: { ...process.env, ...env } })
    const output: Output = { stdout: '', stderr: '' }
    child.stdout.on('data', chunk => {
      output.stdout += chunk
    })
    child.stderr.on('data', chunk => {
      output.stderr += chunk
    })
    child.on('error', reject)
    child.on('close', () => resolve(output))
  })
}

let python: string | null | undefined

/** Debian's own Python first: that is where python3-requests goes. */
function pythonPath(): string | null {
  python ??= ['/usr/bin/python3', 'python3'].find(path => succeeds(path, ['-c', 'import requests'])) ?? null
  return python
}

function succeeds(command: string, args: string[]): boolean {
  return spawnSync(command, args, { stdio: 'ignore' }).status === 0
}
