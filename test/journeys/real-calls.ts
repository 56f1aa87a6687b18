// A whole server on loopback with a SIP trunk: what journeys over real telephones begin with.
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { TestContext } from 'node:test'
import { type App, startApp } from '../../src/app.ts'
import { readConfig } from '../../src/config.ts'
import { type Logger, silentLogger } from '../../src/runtime/logger.ts'

export const apiKey = 'key-of-the-journeys-over-sip'
/** Trunks ring from 8:00 to 21:00 unless told otherwise; tests run at night, too. */
const always = [{ days: [1, 2, 3, 4, 5, 6, 7], from: '00:00', to: '24:00' }]

export interface Attempt {
  id: number
  number: string
  ordinal: number
  callId: string
  talkMs: number | null
  outcome: { disposition: string; cause: string; sipStatus: number | null }
  results: Record<string, unknown> | null
  recordingBytes: number | null
}

export interface RealCalls {
  app: App
  /** @throws Error with the answer when it is no success */
  send<Answer>(method: string, path: string, body?: object): Promise<Answer>
  download(path: string): Promise<Response>
  /** Resolves when the batch has ended, or paused itself. */
  ended(batchId: number): Promise<void>
  /** Calls these people and waits until the batch has ended. */
  callEverybody(people: readonly object[], settings?: object): Promise<BatchEnd>
}

export interface BatchEnd {
  id: number
  status: string
  counts: Record<string, number>
  attempts: Attempt[]
}

/** One agent with this connection, one number; its trunk leads to 127.0.0.1:`sipPort`. */
export async function realCalls(
  t: TestContext,
  options: {
    sipPort: number
    firstRtpPort: number
    connection: object
    trunk?: object
    environment?: Record<string, string>
    logger?: Logger
  },
): Promise<RealCalls> {
  const { sipPort, firstRtpPort, connection, trunk = {}, environment = {}, logger = silentLogger } = options
  const dataDir = await mkdtemp(join(tmpdir(), 'outdial-journey-'))
  const config = readConfig({
    PORT: '0',
    OUTDIAL_DATA_DIR: dataDir,
    OUTDIAL_API_KEY: apiKey,
    OUTDIAL_SIP_HOST: '127.0.0.1',
    OUTDIAL_SIP_PORT: '0',
    OUTDIAL_SIP_TLS_PORT: '0',
    OUTDIAL_RTP_PORTS: `${firstRtpPort}-${firstRtpPort + 798}`,
    OUTDIAL_MEDIA_WORKERS: '1',
    ...environment,
  })
  const app = await startApp(config, logger)
  t.after(async () => {
    await app.stop(0)
    await rm(dataDir, { recursive: true, force: true })
  })
  const download = (path: string) => fetch(app.url + path, { headers: { authorization: `Bearer ${apiKey}` } })
  const send = async <Answer>(method: string, path: string, body?: object): Promise<Answer> => {
    const headers = { authorization: `Bearer ${apiKey}`, 'content-type': 'application/json' }
    const response = await fetch(app.url + path, {
      method,
      headers,
      ...(body && { body: JSON.stringify(body) }),
    })
    const answer = await response.json()
    if (!response.ok) throw new Error(`${response.status}: ${JSON.stringify(answer)}`)
    return answer as Answer
  }
  const { id: trunkId } = await send<{ id: number }>('POST', '/api/v1/trunks', {
    name: 'loopback',
    kind: 'sip',
    settings: { gateways: [`127.0.0.1:${sipPort}`], optionsSeconds: 0, ...trunk },
  })
  await send('POST', '/api/v1/agents', { name: 'Ann', connection, aliases: ['ann'] })
  await send('POST', '/api/v1/phone-numbers', { e164: '+12025550100', agentId: 'ann', trunkId })
  return {
    app,
    send,
    download,
    ended: batchId => ended(app, batchId),
    async callEverybody(people, settings = {}) {
      const { id } = await send<{ id: number }>('POST', '/api/v1/batches', {
        agentId: 'ann',
        recipients: people,
        window: always,
        ...settings,
      })
      await ended(app, id)
      const { status, counts } = await send<BatchEnd>('GET', `/api/v1/batches/${id}`)
      const { data } = await send<{ data: Attempt[] }>('GET', `/api/v1/batches/${id}/attempts?limit=500`)
      return { id, status, counts, attempts: data }
    },
  }
}

/** Woken by the server's own events: a batch that has ended is not asked for twice. */
async function ended({ deps, workspaceId }: App, batchId: number): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>()
  const look = async () => {
    const batch = await deps.store.getBatch(workspaceId, batchId)
    if (batch?.completedAt !== null || batch.status === 'paused') resolve()
  }
  const unsubscribe = deps.store.onEvents(() => void look())
  await look()
  await promise
  unsubscribe()
}
