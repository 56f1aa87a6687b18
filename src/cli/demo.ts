// `outdial demo`: a server with somebody to call, the 25 people of the first batch called, and what became of them.
import { join } from 'node:path'
import type { App } from '../app.ts'
import { issueApiKey } from '../batches/api-keys.ts'
import { type Config, readConfig } from '../config.ts'
import { realClock } from '../runtime/clock.ts'
import { createLogger } from '../runtime/logger.ts'
import { type ApiClient, connect } from './api-client.ts'
import { uploadBatch } from './call.ts'
import { CommandFailure } from './failure.ts'
import { openApp, stopOnSignal } from './serve.ts'
import type { Terminal } from './terminal.ts'
import { textTable } from './text-table.ts'
import { type ApiBatch, type ApiReport, follow } from './watch-batch.ts'

const listPath = 'examples/first-batch/contacts.csv'
const agentAlias = 'demo-agent'
const numberAlias = 'demo-number'
/** North American numbers 555-0100 to 555-0199 belong to fiction. */
const callerId = '+12025550100'
/** So that a second try is seen at once; seconds. */
const retryDelay = 2
const maxAttempts = 3
const concurrency = 5

interface ApiRecipient {
  number: string
  standing: string
  attempts: number
  variables: Record<string, unknown>
  lastAttempt: { outcome: { cause: string } | null; talkMs: number | null } | null
}

/** Runs until a signal ends it, like `serve`. */
export async function demo(terminal: Terminal): Promise<void> {
  const config = readConfig()
  const level = config.logLevel === 'info' ? 'warn' : config.logLevel
  const app = await openApp(config, createLogger({ level, readable: terminal.isLive }))
  const interrupt = new AbortController()
  const stopped = stopOnSignal(app, config, terminal, () => interrupt.abort())
  terminal.note(`Outdial listens on ${app.url}`)
  try {
    const apiKey = await keyOf(app, config)
    const api = connect({ url: app.url, apiKey })
    await callEverybody(api, terminal, interrupt.signal)
    for (const line of whatNext(app.url, apiKey, config)) terminal.print(line)
  } catch (error) {
    if (!interrupt.signal.aborted) {
      await app.stop(0)
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

async function callEverybody(api: ApiClient, terminal: Terminal, signal: AbortSignal): Promise<void> {
  const { stopped } = await api.get<{ stopped: boolean }>('/api/v1/workspace')
  if (stopped) {
    throw new CommandFailure(
      'refused',
      'The workspace was stopped: start the server with `npm start`, then `outdial go`.',
    )
  }
  await provideCaller(api)
  const time = new Date(realClock.now()).toISOString().slice(11, 19)
  const batch = await uploadBatch(api, join(import.meta.dirname, '../..', listPath), {
    agent: agentAlias,
    from: [numberAlias],
    // A name of its own: the same list under the same name within a minute would be taken for a repetition.
    name: `First batch, ${time}`,
    concurrency,
    maxAttempts,
    retryDelay,
  })
  terminal.note(`Calling the ${batch.totalRecipients} people of ${listPath} (simulated telephones)`)
  const report = await follow(api, batch, terminal, signal)
  for (const line of await resultLines(api, batch, report)) terminal.print(line)
}

/** The agent and the phone number of the demo, unless an earlier run made them. */
async function provideCaller(api: ApiClient): Promise<void> {
  if (!(await hasAlias(api, '/api/v1/agents', agentAlias))) {
    const prompt = 'You call {{name}} in {{city}} about the appointment on {{appointment}}.'
    await api.post('/api/v1/agents', { body: { name: 'Demo agent', prompt, aliases: [agentAlias] } })
  }
  if (!(await hasAlias(api, '/api/v1/phone-numbers', numberAlias))) {
    const body = { e164: callerId, agentId: agentAlias, aliases: [numberAlias] }
    await api.post('/api/v1/phone-numbers', { body })
  }
}

async function hasAlias(api: ApiClient, path: string, alias: string): Promise<boolean> {
  for await (const { aliases } of api.all<{ aliases: string[] }>(path)) {
    if (aliases.includes(alias)) return true
  }
  return false
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

function whatNext(url: string, apiKey: string, { dataDir }: Config): string[] {
  return [
    '',
    `Address   ${url}`,
    `API key   ${apiKey}`,
    `Data      ${dataDir}`,
    '',
    'Call them again:',
    '',
    `  curl ${url}/api/v1/batches -H "Authorization: Bearer ${apiKey}" -F agentId=${agentAlias} -F file=@${listPath}`,
    '',
    'Ctrl-C stops the server.',
  ]
}
