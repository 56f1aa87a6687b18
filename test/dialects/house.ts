// A whole server for the dialects' tests: a store in memory, one workspace with a key, agents and numbers under the ids
// that clients had at a vendor.
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { TestContext } from 'node:test'
import type { FastifyInstance } from 'fastify'
import { issueApiKey } from '../../src/batches/api-keys.ts'
import type { Deps } from '../../src/batches/deps.ts'
import type { Dialect } from '../../src/domain/batch.ts'
import type { Agent, PhoneNumber, Workspace } from '../../src/domain/workspace.ts'
import { dialnexa } from '../../src/http/dialects/dialnexa/routes.ts'
import { formant } from '../../src/http/dialects/formant/routes.ts'
import { talkifai } from '../../src/http/dialects/talkifai/routes.ts'
import { buildServer } from '../../src/http/server.ts'
import { type Clock, realClock } from '../../src/runtime/clock.ts'
import { silentLogger } from '../../src/runtime/logger.ts'
import type { Schedule } from '../../src/store/sqlite/group-commit.ts'
import { openSqliteStore } from '../../src/store/sqlite/sqlite-store.ts'
import type { Store } from '../../src/store/store.ts'
import { webhooksFor } from '../webhooks/webhook-desk.ts'

/** What a client got. */
export interface Answer {
  status: number
  // biome-ignore lint/suspicious/noExplicitAny: tests look into bodies of every shape
  body: any
  headers: Record<string, unknown>
}

export interface Sending {
  /** Fields of a multipart form; a file is `[content, name]`. */
  form?: Record<string, string | [content: string | Uint8Array<ArrayBuffer>, name: string]>
  json?: unknown
  text?: string
  headers?: Record<string, string>
  /** null: none. */
  key?: string | null
}

export interface House {
  app: FastifyInstance
  deps: Deps
  store: Store
  workspace: Workspace
  key: string
  /** A realtime agent, known as `456` and `agt_abc123`, with the number below; and one known as `123`, with another. */
  agent: Agent
  otherAgent: Agent
  /** +912234567890, known as `phone_abc123`. */
  phoneNumber: PhoneNumber
  call(method: 'GET' | 'POST' | 'PATCH' | 'PUT' | 'DELETE', url: string, sending?: Sending): Promise<Answer>
}

export interface HouseOptions {
  clock?: Clock
  rootDialect?: Dialect | null
  repeatWindowMs?: number
  /** How the telephones behave; absent: as a fresh server's. */
  trunkSettings?: Record<string, unknown>
  schedule?: Schedule
  /** Before the server is ready. */
  prepare?: (app: FastifyInstance) => void
  /** Replaces what the store does, e.g. to make it fail. */
  wrapStore?: (store: Store) => Store
}

/** Torn down when the test ends. */
export async function openHouse(t: Pick<TestContext, 'after'>, options: HouseOptions = {}): Promise<House> {
  const clock = options.clock ?? realClock
  const uploadDir = join(await mkdtemp(join(tmpdir(), 'outdial-dialects-')), 'uploads')
  const opened = await openSqliteStore({
    path: ':memory:',
    ...(options.schedule === undefined ? {} : { schedule: options.schedule }),
  })
  const store = options.wrapStore?.(opened) ?? opened
  const config = {
    repeatWindowMs: options.repeatWindowMs ?? 0,
    maxUploadBytes: 100_000_000,
    maxRows: 1_000_000,
    rates: { pipelineMillicents: 3_500, realtimeMillicents: 7_000 },
  }
  const deps: Deps = { store, clock, config, logger: silentLogger }
  const app = buildServer({
    ...deps,
    webhooks: webhooksFor(store),
    uploadDir,
    dialects: [formant, dialnexa, talkifai],
    rootDialect: options.rootDialect ?? null,
    phase: () => 'running',
  })
  options.prepare?.(app)
  t.after(async () => {
    await app.close()
    await opened.close()
    await rm(join(uploadDir, '..'), { recursive: true, force: true })
  })
  await app.ready()
  const furniture = await furnish(deps, options.trunkSettings)
  return { app, deps, store, ...furniture, call: callerOf(app, furniture.key) }
}

/** A second workspace with a key of its own. */
export async function openWorkspace(deps: Deps): Promise<{ workspace: Workspace; key: string }> {
  const workspace = await deps.store.createWorkspace('another', deps.clock.now())
  const { key } = await issueApiKey(deps, { workspaceId: workspace.id, name: 'test' })
  return { workspace, key }
}

export async function addAgent(
  { store, clock }: Deps,
  workspaceId: number,
  fields: Partial<Pick<Agent, 'name' | 'architecture' | 'aliases'>>,
): Promise<Agent> {
  return store.createAgent({
    workspaceId,
    name: 'Caller',
    architecture: 'realtime',
    prompt: null,
    firstMessage: null,
    connection: null,
    maxConcurrentCalls: null,
    aliases: [],
    createdAt: clock.now(),
    ...fields,
  })
}

export async function addPhoneNumber(
  { store, clock }: Deps,
  workspaceId: number,
  fields: Pick<PhoneNumber, 'e164' | 'agentId'> & { aliases?: string[]; trunkId?: number | null },
): Promise<PhoneNumber> {
  const rest = { trunkId: null, maxConcurrentCalls: null, createdAt: clock.now() }
  return store.createPhoneNumber({ workspaceId, aliases: [], ...rest, ...fields })
}

async function addTrunk({ store, clock }: Deps, workspaceId: number, settings: Record<string, unknown>) {
  const limits = { maxConcurrentCalls: null, callsPerSecond: null }
  const trunk = { workspaceId, name: 'Telephones', kind: 'simulated', settings, ...limits } as const
  const { id } = await store.createTrunk({ ...trunk, createdAt: clock.now() })
  return id
}

async function furnish(deps: Deps, trunkSettings: Record<string, unknown> | undefined) {
  const { workspace, key } = await openWorkspace(deps)
  const trunkId = trunkSettings === undefined ? null : await addTrunk(deps, workspace.id, trunkSettings)
  const agent = await addAgent(deps, workspace.id, { aliases: ['456', 'agt_abc123'] })
  const otherAgent = await addAgent(deps, workspace.id, { architecture: 'pipeline', aliases: ['123'] })
  const numbers = [
    await addPhoneNumber(deps, workspace.id, {
      e164: '+912234567890',
      agentId: agent.id,
      trunkId,
      aliases: ['phone_abc123'],
    }),
    await addPhoneNumber(deps, workspace.id, { e164: '+12025550199', agentId: otherAgent.id, trunkId }),
  ]
  return { workspace, key, agent, otherAgent, phoneNumber: numbers[0]! }
}

function callerOf(app: FastifyInstance, ownKey: string): House['call'] {
  return async (method, url, { form, json, text, headers, key = ownKey } = {}) => {
    const body = form === undefined ? { payload: text ?? json } : await encodeForm(form)
    const answer = await app.inject({
      method,
      url,
      headers: {
        ...(key === null ? {} : { authorization: `Bearer ${key}` }),
        ...('type' in body ? { 'content-type': body.type } : {}),
        ...headers,
      },
      ...(body.payload === undefined ? {} : { payload: body.payload as string }),
    })
    return { status: answer.statusCode, body: parsed(answer.body), headers: answer.headers }
  }
}

async function encodeForm(form: NonNullable<Sending['form']>) {
  const data = new FormData()
  for (const [name, value] of Object.entries(form)) {
    if (typeof value === 'string') data.append(name, value)
    else data.append(name, new Blob([value[0]]), value[1])
  }
  const encoded = new Response(data)
  return {
    payload: Buffer.from(await encoded.arrayBuffer()),
    type: encoded.headers.get('content-type') ?? '',
  }
}

function parsed(body: string): unknown {
  try {
    return JSON.parse(body)
  } catch {
    return body
  }
}
