// A batch that is really called: store, dispatcher and SIP carrier as in the server, real time, silent media.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { TestContext } from 'node:test'
import { type OpenedSipCarrier, openSipCarrier } from '../../src/carrier/sip/open-sip-carrier.ts'
import { type Dispatcher, startDispatcher } from '../../src/dispatcher/dispatcher.ts'
import { type Batch, finishedBatchStatuses, type NewBatch } from '../../src/domain/batch.ts'
import { noRetries } from '../../src/domain/retry.ts'
import { realClock } from '../../src/runtime/clock.ts'
import { silentLogger } from '../../src/runtime/logger.ts'
import { openSqliteStore } from '../../src/store/sqlite/sqlite-store.ts'
import type { Store } from '../../src/store/store.ts'
import { SilentMedia } from './silent-media.ts'

export interface CalledBatch {
  numbers: readonly string[]
  trunk: Record<string, unknown>
  callsPerSecond?: number
  retry?: NewBatch['retry']
  ringTimeoutMs?: number
}

export interface CallingHouse extends OpenedSipCarrier {
  store: Store
  media: SilentMedia
  workspaceId: number
  dispatcher: Dispatcher
  /** Imports the batch and calls it; resolves when it has ended, or paused itself. */
  call(batch: CalledBatch): Promise<Batch>
}

const always = [{ days: [1, 2, 3, 4, 5, 6, 7], from: '00:00', to: '24:00' }]

export async function openCallingHouse(t: TestContext): Promise<CallingHouse> {
  const dataDir = mkdtempSync(join(tmpdir(), 'outdial-calls-'))
  const store = await openSqliteStore({ path: ':memory:' })
  const media = new SilentMedia()
  const opened = await openSipCarrier({
    sip: {
      host: '127.0.0.1',
      port: 0,
      tlsPort: 0,
      publicAddress: null,
      tls: { ca: null, certificate: null },
    },
    dataDir,
    media,
    clock: realClock,
    logger: silentLogger,
    random: () => 0.5,
    agentSettings: () => ({ kind: 'echo' }),
    recordingPath: callId => join(dataDir, `${callId}.wav`),
  })
  const { id: workspaceId } = await store.createWorkspace('calls', realClock.now())
  await store.updateWorkspace(workspaceId, { maxConcurrentCalls: 1_000 }, realClock.now())
  const dispatcher = startDispatcher({
    store,
    carrier: opened.carrier,
    clock: realClock,
    logger: silentLogger,
  })
  t.after(async () => {
    await dispatcher.stop({ graceMs: 0 })
    await opened.carrier.close()
    await store.close()
    rmSync(dataDir, { recursive: true, force: true })
  })
  return {
    ...opened,
    store,
    media,
    workspaceId,
    dispatcher,
    call: batch => callBatch(store, workspaceId, batch),
  }
}

async function callBatch(store: Store, workspaceId: number, called: CalledBatch): Promise<Batch> {
  const ended = Promise.withResolvers<Batch>()
  const id = await importBatch(store, workspaceId, called)
  const look = async () => {
    const batch = await store.getBatch(workspaceId, id)
    if (batch !== null && (finishedBatchStatuses.has(batch.status) || batch.status === 'paused'))
      ended.resolve(batch)
  }
  const unsubscribe = store.onEvents(() => void look())
  await look()
  return ended.promise.finally(unsubscribe)
}

async function importBatch(store: Store, workspaceId: number, called: CalledBatch): Promise<number> {
  const createdAt = realClock.now()
  const agent = await store.createAgent({
    workspaceId,
    name: 'echo',
    architecture: 'realtime',
    prompt: null,
    firstMessage: null,
    connection: { kind: 'echo' },
    maxConcurrentCalls: null,
    aliases: [],
    createdAt,
  })
  const trunk = await store.createTrunk({
    workspaceId,
    name: 'trunk',
    kind: 'sip',
    maxConcurrentCalls: null,
    callsPerSecond: called.callsPerSecond ?? null,
    settings: { optionsSeconds: 0, ...called.trunk },
    createdAt,
  })
  const e164 = `+1202444${1_000 + trunk.id}`
  const caller = await store.createPhoneNumber({
    workspaceId,
    e164,
    trunkId: trunk.id,
    agentId: agent.id,
    maxConcurrentCalls: null,
    aliases: [],
    createdAt,
  })
  const id = await store.beginImport({
    workspaceId,
    agentId: agent.id,
    phoneNumberId: caller.id,
    name: `batch ${trunk.id}`,
    description: null,
    dialect: 'outdial',
    sentAgentId: 'agent',
    sentPhoneNumberId: null,
    open: false,
    timezone: 'UTC',
    scheduledAt: null,
    startAs: 'running',
    contentHash: `batch ${trunk.id}`,
    createdAt,
    maxConcurrentCalls: null,
    callsPerSecond: null,
    retry: called.retry ?? noRetries,
    window: always,
    ringTimeoutMs: called.ringTimeoutMs ?? 30_000,
    maxCallMs: 60_000,
    record: false,
    trace: false,
    answeringMachine: 'off',
  })
  const rows = called.numbers.map((number, index) => ({
    rowNumber: index + 2,
    number,
    zone: 'UTC',
    variablesJson: '{}',
  }))
  await store.importRows(id, rows, [])
  await store.finishImport(id, { rows: rows.length }, () => {}, createdAt)
  return id
}
