// A server on a store in memory with one workspace, an agent and a number to call from: what the HTTP tests begin with.
import { mkdtemp, readdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import type { TestContext } from 'node:test'
import type { FastifyInstance, LightMyRequestResponse } from 'fastify'
import { issueApiKey } from '../../src/batches/api-keys.ts'
import type { Workspace } from '../../src/domain/workspace.ts'
import { buildServer, type ServerDeps } from '../../src/http/server.ts'
import { realClock } from '../../src/runtime/clock.ts'
import { silentLogger } from '../../src/runtime/logger.ts'
import { openSqliteStore } from '../../src/store/sqlite/sqlite-store.ts'
import type { Store } from '../../src/store/store.ts'
import { webhooksFor } from '../webhooks/webhook-desk.ts'

export interface RunningServer {
  app: FastifyInstance
  store: Store
  workspace: Workspace
  key: string
  deps: ServerDeps
  /** Sends a request with the workspace's key; an object as payload goes as JSON. */
  send(method: string, url: string, options?: Sent): Promise<LightMyRequestResponse>
  /** Files left in the upload directory. */
  uploads(): Promise<string[]>
  /** Another tenant of the same server: its key. */
  otherKey(): Promise<string>
}

export interface Sent {
  payload?: object | string | Buffer | FormData
  headers?: Record<string, string>
  key?: string | null
}

export async function runServer(
  test: TestContext,
  overrides: Partial<ServerDeps> = {},
): Promise<RunningServer> {
  const uploadDir = await mkdtemp(path.join(tmpdir(), 'outdial-uploads-'))
  const store = await openSqliteStore({ path: ':memory:' })
  const deps: ServerDeps = {
    store,
    clock: realClock,
    logger: silentLogger,
    config: {
      repeatWindowMs: 60_000,
      maxUploadBytes: 1_000_000,
      maxRows: 100_000,
      rates: { pipelineMillicents: 3_500, realtimeMillicents: 7_000 },
    },
    webhooks: webhooksFor(store),
    uploadDir,
    dialects: [],
    rootDialect: null,
    phase: () => 'running',
    ...overrides,
  }
  const app = buildServer(deps)
  await app.ready()
  test.after(async () => {
    await app.close()
    await store.close()
    await rm(uploadDir, { recursive: true, force: true })
  })
  const workspace = await store.createWorkspace('demo', deps.clock.now())
  const { key } = await issueApiKey(deps, { workspaceId: workspace.id, name: 'test' })
  const send: RunningServer['send'] = (method, url, { payload, headers, key: otherKey } = {}) =>
    app.inject({
      method: method as 'GET',
      url,
      headers: { ...(otherKey === null ? {} : { authorization: `Bearer ${otherKey ?? key}` }), ...headers },
      ...(payload === undefined ? {} : { payload: payload as object }),
    })
  return {
    app,
    store,
    workspace,
    key,
    deps,
    send,
    uploads: () => readdir(uploadDir),
    otherKey: async () => {
      const other = await store.createWorkspace('other', deps.clock.now())
      return (await issueApiKey(deps, { workspaceId: other.id, name: 'other' })).key
    },
  }
}

/** An agent and a number of its own, so that a batch can be made with `agentId: 456`. */
export async function addCaller({ send }: RunningServer): Promise<void> {
  await send('POST', '/api/v1/agents', { payload: { name: 'Ada', aliases: ['456', 'agt_abc123'] } })
  await send('POST', '/api/v1/phone-numbers', {
    payload: { e164: '+12025550100', agentId: '456', aliases: ['phone_abc123'] },
  })
}

/** A form with a file beside its fields, the file last unless told otherwise. */
export function formWith(
  fields: Record<string, string>,
  file?: string | Uint8Array<ArrayBuffer>,
  fileName = 'contacts.csv',
): FormData {
  const form = new FormData()
  for (const [name, text] of Object.entries(fields)) form.append(name, text)
  if (file !== undefined) form.append('file', new Blob([file]), fileName)
  return form
}

export const twoPeople = 'phone,name\n+12025550101,John\n+12025550102,Jane\n'
