// `outdial demo`: a server with somebody to call, the 25 people of the first batch called, and what became of them.
import { join, resolve } from 'node:path'
import type { App } from '../app.ts'
import { issueApiKey } from '../batches/api-keys.ts'
import { type Config, readConfig } from '../config.ts'
import { realClock } from '../runtime/clock.ts'
import { createLogger } from '../runtime/logger.ts'
import { type ApiClient, connect } from './api-client.ts'
import { type BatchOptions, uploadBatch } from './call.ts'
import { type DemoCast, simulatedCast, sipCast } from './demo-cast.ts'
import { CommandFailure } from './failure.ts'
import { openApp, stopOnSignal } from './serve.ts'
import type { Terminal } from './terminal.ts'
import { textTable } from './text-table.ts'
import { type ApiBatch, type ApiReport, follow } from './watch-batch.ts'

const listPath = 'examples/first-batch/contacts.csv'

interface ApiAttempt {
  number: string
  callId: string
  recordingBytes: number | null
}

interface CalledBatch {
  id: number
  /** Fields of the request that calls the same people by the same means. */
  again: string
}

interface ApiRecipient {
  number: string
  standing: string
  attempts: number
  variables: Record<string, unknown>
  lastAttempt: { outcome: { cause: string } | null; talkMs: number | null } | null
}

/** Runs until a signal ends it, like `serve`. */
export async function demo({ sip }: { sip: boolean }, terminal: Terminal): Promise<void> {
  const settings = readConfig()
  const cast = sip ? await sipCast(settings) : simulatedCast(settings)
  const { config } = cast
  const level = config.logLevel === 'info' ? 'warn' : config.logLevel
  const app = await openApp(config, createLogger({ level, readable: terminal.isLive })).catch(async error => {
    await cast.close()
    throw error
  })
  const interrupt = new AbortController()
  const stopped = stopOnSignal(app, config, terminal, () => {
    interrupt.abort()
    return cast.close()
  })
  terminal.note(`Outdial listens on ${app.url}`)
  try {
    const apiKey = await keyOf(app, config)
    const api = connect({ url: app.url, apiKey })
    const batch = await callEverybody(api, cast, terminal, interrupt.signal)
    if (cast.isRecorded) for (const line of await whereToListen(api, batch, config)) terminal.print(line)
    for (const line of whatNext(app.url, apiKey, config, batch.again)) terminal.print(line)
  } catch (error) {
    if (!interrupt.signal.aborted) {
      await Promise.all([app.stop(0), cast.close()])
      throw error
    }
  }
  await stopped
}

/** The key that was set or made just now; else a further one, since only hashes are kept. */
async function keyOf(app: App, config: Config): Promise<string> {
  const known = config.apiKey ?? app.newApiKey
  if (known !== null) return known
  const { key } = await issueApiKey(app.deps, { workspaceId: app.workspaceId, name: 'demo' })
  return key
}

async function callEverybody(
  api: ApiClient,
  cast: DemoCast,
  terminal: Terminal,
  signal: AbortSignal,
): Promise<CalledBatch> {
  const { stopped } = await api.get<{ stopped: boolean }>('/api/v1/workspace')
  if (stopped) {
    throw new CommandFailure(
      'refused',
      'The workspace was stopped: start the server with `npm start`, then `outdial go`.',
    )
  }
  const options = await cast.provide(api)
  const time = new Date(realClock.now()).toISOString().slice(11, 19)
  const batch = await uploadBatch(api, join(import.meta.dirname, '../..', listPath), {
    ...options,
    // A name of its own: the same list under the same name within a minute would be taken for a repetition.
    name: `First batch, ${time}`,
  })
  terminal.note(`Calling the ${batch.totalRecipients} people of ${listPath} (${cast.telephones})`)
  const report = await follow(api, batch, terminal, signal)
  for (const line of await resultLines(api, batch, report)) terminal.print(line)
  return { id: batch.id, again: againBy(options) }
}

async function resultLines(api: ApiClient, batch: ApiBatch, report: ApiReport): Promise<string[]> {
  const people: ApiRecipient[] = []
  for await (const person of api.all<ApiRecipient>(`/api/v1/batches/${batch.id}/recipients`))
    people.push(person)
  const table = textTable(people, [
    { title: 'name', cell: ({ variables }) => String(variables.name ?? '') },
    { title: 'number', cell: ({ number }) => number },
    { title: 'calls', cell: ({ attempts }) => String(attempts), align: 'right' },
    { title: 'became', cell: ({ standing }) => standing },
    { title: 'because', cell: becauseOf },
  ])
  if (report.status !== 'completed')
    throw new CommandFailure('failed', `The batch ended as ${report.status}.`)
  const { attempts, averageTalkSeconds, counts } = report
  const answered = counts.answered ?? 0
  const sum = `${people.length} people, ${attempts} calls, ${answered} answered, ${averageTalkSeconds} s of talk on average`
  return ['', ...table, '', sum]
}

function becauseOf({ lastAttempt }: ApiRecipient): string {
  const talkMs = lastAttempt?.talkMs ?? null
  const cause = lastAttempt?.outcome?.cause ?? ''
  return talkMs === null ? cause : `${cause}, ${(talkMs / 1000).toFixed(1)} s`
}

/** The first conversation that was recorded, as an example. */
async function whereToListen(api: ApiClient, { id }: CalledBatch, { dataDir }: Config): Promise<string[]> {
  const folder = resolve(dataDir, 'recordings')
  for await (const attempt of api.all<ApiAttempt>(`/api/v1/batches/${id}/attempts`)) {
    if ((attempt.recordingBytes ?? 0) === 0) continue
    return [
      '',
      `Recordings  ${folder} (one WAV file a conversation: they are left, we are right)`,
      `Listen to ${attempt.number}, e.g. with SoX or a browser:`,
      '',
      `  play ${join(folder, `${attempt.callId}.wav`)}`,
    ]
  }
  return ['', 'Nothing was recorded.']
}

function againBy({ agent, from, record, window }: BatchOptions): string {
  const real =
    record === true
      ? ` -F phoneNumberId=${from?.[0]} -F record=true -F 'window=${JSON.stringify(window)}'`
      : ''
  return `-F agentId=${agent}${real}`
}

function whatNext(url: string, apiKey: string, { dataDir }: Config, again: string): string[] {
  return [
    '',
    `Address   ${url}`,
    `API key   ${apiKey}`,
    `Data      ${dataDir}`,
    '',
    'Call them again:',
    '',
    `  curl ${url}/api/v1/batches -H "Authorization: Bearer ${apiKey}" ${again} -F file=@${listPath}`,
    '',
    'Ctrl-C stops the server.',
  ]
}
