// A server in this process with an agent, a number and quick telephones, and the command line pointed at it.
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type App, startApp } from '../../src/app.ts'
import { CommandFailure } from '../../src/cli/failure.ts'
import { createProgram } from '../../src/cli/program.ts'
import { readConfig } from '../../src/config.ts'
import type { ConfigError } from '../../src/runtime/config-error.ts'
import { silentLogger } from '../../src/runtime/logger.ts'
import { type RecordingTerminal, recordingTerminal } from './recording-terminal.ts'

export const apiKey = 'key-of-the-command-line-tests'

export interface Ran extends RecordingTerminal {
  /** What the command threw; null when it went well. */
  failure: CommandFailure | ConfigError | Error | null
  /** stdout as one text. */
  out: string
  err: string
}

export interface RunningApp {
  app: App
  dir: string
  run(...args: string[]): Promise<Ran>
  close(): Promise<void>
}

/** `ann` unless the test wants other ids for the agent and its number. */
export async function runningApp({
  agentAlias = 'ann',
  numberAlias = 'ann-number',
} = {}): Promise<RunningApp> {
  const dir = await mkdtemp(join(tmpdir(), 'outdial-cli-'))
  const config = readConfig({
    PORT: '0',
    OUTDIAL_DATA_DIR: join(dir, 'data'),
    OUTDIAL_API_KEY: apiKey,
    OUTDIAL_SIM_SPEED: '50',
  })
  const app = await startApp(config, silentLogger)
  const post = (path: string, body: object) =>
    fetch(app.url + path, {
      method: 'POST',
      headers: { authorization: `Bearer ${apiKey}`, 'content-type': 'application/json' },
      body: JSON.stringify(body),
    })
  await post('/api/v1/agents', { name: 'Ann', aliases: [agentAlias] })
  await post('/api/v1/phone-numbers', { e164: '+12025550100', agentId: agentAlias, aliases: [numberAlias] })
  return {
    app,
    dir,
    run: (...args) => run([...args, '--url', app.url, '--key', apiKey]),
    async close() {
      await app.stop(0)
      await rm(dir, { recursive: true, force: true })
    },
  }
}

/** Runs a command as the shell would, without a process. `answer`: what a person says to every question; absent: nobody. */
export async function run(args: string[], answer?: boolean): Promise<Ran> {
  const terminal = recordingTerminal(answer === undefined ? {} : { answer })
  const program = createProgram(terminal)
  for (const command of [
    program,
    ...program.commands,
    ...program.commands.flatMap(child => child.commands),
  ]) {
    command.configureOutput({ writeErr: () => {}, writeOut: () => {} })
  }
  const failure = await program.parseAsync(args, { from: 'user' }).then(
    () => null,
    (error: Error) => error,
  )
  return { ...terminal, failure, out: terminal.printed.join('\n'), err: terminal.notes.join('\n') }
}

/** The exit reason of a command that failed. */
export function reasonOf({ failure }: Ran): string | null {
  return failure instanceof CommandFailure ? failure.reason : (failure?.name ?? null)
}
