// A store with one workspace and one batch of made-up people, for benchmarks and whole-system tests.
import type { CallingWindow } from '../src/domain/calling-window.ts'
import type { RetryPolicy } from '../src/domain/retry.ts'
import type { AcceptedRow, Store } from '../src/store/store.ts'

const chunkRows = 1_000
/** Numbers that end in 80 to 99 force an outcome on the simulated carrier; these do not. */
const plainEndings = 80

export interface BatchSeed {
  recipients: number
  /** Of the simulated trunk. */
  trunkSettings: Record<string, unknown>
  /** For the workspace and the batch. */
  maxConcurrentCalls: number
  callsPerSecond?: number
  /** Of the batch alone, and of the trunk; absent: none of their own. */
  maxBatchCalls?: number
  maxTrunkCalls?: number
  /** Absent: any time. */
  window?: CallingWindow
  retry: RetryPolicy
  startAs: 'running' | 'draft'
  /** The first subscriber number, so that batches of one workspace do not share people. */
  firstNumber?: number
  workspaceId?: number
}

export interface SeededBatch {
  workspaceId: number
  batchId: number
  trunkId: number
}

/** Numbers are +1 202 5xx xxxx, none with a forced outcome; each person has a name as their only variable. */
export async function seedBatch(store: Store, seed: BatchSeed): Promise<SeededBatch> {
  const now = Date.now()
  const { maxConcurrentCalls } = seed
  const workspaceId = seed.workspaceId ?? (await store.createWorkspace('bench', now)).id
  await store.updateWorkspace(workspaceId, { maxConcurrentCalls }, now)
  const agent = await store.createAgent({
    workspaceId,
    name: 'bench',
    architecture: 'pipeline',
    prompt: null,
    firstMessage: null,
    connection: null,
    maxConcurrentCalls: null,
    aliases: [],
    createdAt: now,
  })
  const trunk = await store.createTrunk({
    workspaceId,
    name: 'bench',
    kind: 'simulated',
    maxConcurrentCalls: seed.maxTrunkCalls ?? null,
    callsPerSecond: seed.callsPerSecond ?? null,
    settings: seed.trunkSettings,
    createdAt: now,
  })
  const number = await store.createPhoneNumber({
    workspaceId,
    e164: `+1202444${String(1000 + agent.id).padStart(4, '0')}`,
    trunkId: trunk.id,
    agentId: agent.id,
    maxConcurrentCalls: null,
    aliases: [],
    createdAt: now,
  })
  const batchId = await store.beginImport({
    workspaceId,
    agentId: agent.id,
    phoneNumberId: number.id,
    name: `bench ${agent.id}`,
    description: null,
    dialect: 'outdial',
    sentAgentId: String(agent.id),
    sentPhoneNumberId: null,
    open: false,
    timezone: 'UTC',
    scheduledAt: null,
    startAs: seed.startAs,
    contentHash: `bench ${agent.id}`,
    createdAt: now,
    maxConcurrentCalls: seed.maxBatchCalls ?? maxConcurrentCalls,
    callsPerSecond: null,
    retry: seed.retry,
    window: seed.window ?? null,
    ringTimeoutMs: 45_000,
    maxCallMs: 3_600_000,
    record: false,
    trace: false,
    answeringMachine: 'off',
  })
  const first = seed.firstNumber ?? 5_000_000
  for (let from = 0; from < seed.recipients; from += chunkRows) {
    const rows: AcceptedRow[] = []
    for (let index = from; index < Math.min(seed.recipients, from + chunkRows); index++)
      rows.push({
        rowNumber: index + 2,
        number: `+1202${first + Math.floor(index / plainEndings) * 100 + (index % plainEndings)}`,
        zone: 'America/New_York',
        variablesJson: `{"customer_name":"Person ${index}"}`,
      })
    await store.importRows(batchId, rows, [])
  }
  await store.finishImport(batchId, { rows: seed.recipients }, () => {}, now)
  return { workspaceId, batchId, trunkId: trunk.id }
}
