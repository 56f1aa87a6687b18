// `outdial events`: what happened, and with --follow what happens; a connection that breaks is taken up where it ended.
import type { ClientConfig } from '../config.ts'
import { realClock } from '../runtime/clock.ts'
import { waitFor } from '../runtime/wait.ts'
import { type ApiClient, connect } from './api-client.ts'
import { CommandFailure } from './failure.ts'
import type { OutputOption } from './program.ts'
import type { Terminal } from './terminal.ts'

interface ApiEvent {
  id: number
  type: string
  at: string
  batchId: number | null
  data: Record<string, unknown>
}

export interface EventOptions extends OutputOption {
  follow: boolean
  after?: number
  batch?: number
  type?: string
}

/** Before a broken connection is made again. */
const reconnectMs = 2_000

/** With `-o json` one event a line, as the API has it. Ctrl-C ends a following. */
export async function events(options: EventOptions, client: ClientConfig, terminal: Terminal): Promise<void> {
  const api = connect(client)
  const query = { batchId: options.batch, type: options.type }
  const show = (event: ApiEvent) =>
    terminal.print(options.output === 'json' ? JSON.stringify(event) : lineOf(event))
  if (options.follow) return follow(api, query, options.after, show, terminal)
  for await (const event of api.all<ApiEvent>('/api/v1/events', { ...query, after: options.after }))
    show(event)
}

async function follow(
  api: ApiClient,
  query: Record<string, string | number | undefined>,
  after: number | undefined,
  show: (event: ApiEvent) => void,
  terminal: Terminal,
): Promise<void> {
  const interrupt = new AbortController()
  const onSignal = () => interrupt.abort()
  process.once('SIGINT', onSignal)
  try {
    let last = after
    let connected = false
    while (!interrupt.signal.aborted) {
      const headers = { accept: 'text/event-stream' }
      const request = { headers, query: { ...query, after: last }, signal: interrupt.signal }
      try {
        for await (const { id, data } of messages(api.download('/api/v1/events', request))) {
          connected = true
          last = id ?? last
          if (data !== null) show(JSON.parse(data))
        }
      } catch (error) {
        if (interrupt.signal.aborted) return
        // Refused, or never reached: that will not pass by itself.
        if (!connected || (error instanceof CommandFailure && error.reason === 'refused')) throw error
      }
      terminal.note('The stream ended; it is taken up again.')
      await waitFor(realClock, reconnectMs, interrupt.signal)
    }
  } finally {
    process.removeListener('SIGINT', onSignal)
  }
}

/** The messages of a stream (WHATWG HTML §9.2.6), as far as our server writes them: one `id` and one `data` line each. */
async function* messages(
  chunks: AsyncIterable<Uint8Array>,
): AsyncGenerator<{ id: number | undefined; data: string | null }> {
  const decoder = new TextDecoder()
  let text = ''
  for await (const chunk of chunks) {
    text += decoder.decode(chunk, { stream: true })
    const parts = text.split('\n\n')
    text = parts.pop() ?? ''
    for (const part of parts) {
      const field = (name: string) => new RegExp(`^${name}: (.*)$`, 'm').exec(part)?.[1]
      const id = field('id')
      yield { id: id === undefined ? undefined : Number(id), data: field('data') ?? null }
    }
  }
}

function lineOf({ id, type, at, batchId, data }: ApiEvent): string {
  const batch = batchId === null ? '' : ` batch ${batchId}`
  const details = Object.entries(data)
    .filter(([, value]) => value !== null)
    .map(([name, value]) => `${name}=${typeof value === 'string' ? value : JSON.stringify(value)}`)
  return [`${at} ${id} ${type}${batch}`, ...details].join(' ')
}
