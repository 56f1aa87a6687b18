// `outdial call FILE`: a list becomes a batch on the running server, and with --watch we stay until it has ended.
import { openAsBlob } from 'node:fs'
import { basename } from 'node:path'
import type { ClientConfig } from '../config.ts'
import type { CallingWindow } from '../domain/calling-window.ts'
import type { RetryPolicy } from '../domain/retry.ts'
import { defaultRetryPolicy } from '../domain/retry.ts'
import { type ApiClient, connect } from './api-client.ts'
import { printBatch } from './batches.ts'
import { CommandFailure } from './failure.ts'
import type { OutputOption } from './program.ts'
import type { Terminal } from './terminal.ts'
import { type ApiBatch, type ApiReport, watchBatch } from './watch-batch.ts'

interface CallOptions extends OutputOption, BatchOptions {
  watch: boolean
}

/** What the server is told of a batch beside its list. */
export interface BatchOptions {
  agent: string
  from?: string[]
  fromTrunk?: string
  name?: string
  concurrency?: number
  callsPerSecond?: number
  at?: string
  timezone?: string
  maxAttempts?: number
  /** Seconds. */
  retryDelay?: number
  record?: boolean
  answeringMachine?: string
  /** Calling hours in each person's zone; absent: the workspace's or the trunk's. */
  window?: CallingWindow
  draft?: boolean
  idempotencyKey?: string
}

export async function call(
  file: string,
  options: CallOptions,
  client: ClientConfig,
  terminal: Terminal,
): Promise<void> {
  const api = connect(client)
  const batch = await uploadBatch(api, file, options)
  if (batch.repeated) {
    terminal.note(
      `The same list was sent within the last minute: this is that batch, nobody is called twice.`,
    )
  }
  const report = options.watch
    ? await watchBatch(api, batch, terminal)
    : await api.get<ApiReport>(`/api/v1/batches/${batch.id}/report`)
  const now = options.watch ? await api.get<ApiBatch>(`/api/v1/batches/${batch.id}`) : batch
  printBatch(now, report, options, terminal)
}

/** Streams the file from disk: a large list is never in memory as a whole. */
export async function uploadBatch(
  api: ApiClient,
  file: string,
  options: BatchOptions,
): Promise<ApiBatch & { repeated: boolean }> {
  const form = new FormData()
  for (const [name, value] of Object.entries(settingsOf(options))) {
    if (value !== undefined) form.set(name, typeof value === 'string' ? value : JSON.stringify(value))
  }
  form.set('file', await openList(file), basename(file))
  const headers = options.idempotencyKey === undefined ? {} : { 'idempotency-key': options.idempotencyKey }
  return api.post('/api/v1/batches', { body: form, headers })
}

function settingsOf(options: BatchOptions): Record<string, unknown> {
  return {
    agentId: options.agent,
    phoneNumberIds: options.from,
    trunkId: options.fromTrunk,
    name: options.name,
    timezone: options.timezone,
    scheduledAt: options.at,
    startAs: options.draft ? 'draft' : undefined,
    maxConcurrentCalls: options.concurrency,
    callsPerSecond: options.callsPerSecond,
    record: options.record === true ? true : undefined,
    answeringMachine: options.answeringMachine,
    window: options.window,
    retry: retryOf(options),
  }
}

/** One delay for whatever is called again; absent options leave it to the server. */
export function retryOf({
  maxAttempts,
  retryDelay,
}: Pick<BatchOptions, 'maxAttempts' | 'retryDelay'>): Partial<RetryPolicy> | undefined {
  if (maxAttempts === undefined && retryDelay === undefined) return undefined
  const again = Object.keys(defaultRetryPolicy.delaysMs).filter(disposition => disposition !== 'lost')
  return {
    ...(maxAttempts === undefined ? {} : { maxAttempts }),
    ...(retryDelay === undefined
      ? {}
      : { delaysMs: Object.fromEntries(again.map(disposition => [disposition, [retryDelay * 1000]])) }),
  }
}

async function openList(file: string): Promise<Blob> {
  try {
    return await openAsBlob(file)
  } catch (error) {
    throw new CommandFailure('usage', `The file ${file} cannot be read: ${(error as Error).message}`)
  }
}
