// A store in memory with a workspace, an agent and a number: what the use cases' tests begin with.
import type { TestContext } from 'node:test'
import type { CreateBatchRequest } from '../../src/batches/create-batch.ts'
import type { Deps } from '../../src/batches/deps.ts'
import { noRetries } from '../../src/domain/retry.ts'
import type { Agent, PhoneNumber, Workspace } from '../../src/domain/workspace.ts'
import { contactsSource } from '../../src/http/contacts.ts'
import type { ListRules } from '../../src/ingest/ingest.ts'
import { silentLogger } from '../../src/runtime/logger.ts'
import { openSqliteStore } from '../../src/store/sqlite/sqlite-store.ts'
import type { NewAgent } from '../../src/store/store.ts'

export interface Workbench {
  deps: Deps
  workspace: Workspace
  agent: Agent
  phoneNumber: PhoneNumber
  /** A create of the given contacts' numbers, with this agent, changed as told. */
  request(numbers: readonly string[], changes?: Partial<CreateBatchRequest>): CreateBatchRequest
  /** Moves the clock. */
  advance(ms: number): void
}

export const rules: ListRules = {
  formats: ['csv'],
  phoneColumns: ['phone'],
  numbers: 'readable',
  region: null,
  destinations: null,
  zoneColumns: ['timezone'],
  fallbackZone: 'UTC',
  mode: 'lenient',
  refuseBadContact: false,
  maxBytes: 1_000_000,
  maxRows: 10_000,
}

const start = Date.UTC(2030, 0, 1)

export async function setUp(test: TestContext): Promise<Workbench> {
  const store = await openSqliteStore({ path: ':memory:' })
  test.after(() => store.close())
  let now = start
  const deps: Deps = {
    store,
    clock: { now: () => now, elapsed: () => now - start, at: () => ({ cancel() {} }) },
    logger: silentLogger,
    config: {
      repeatWindowMs: 60_000,
      maxUploadBytes: 1_000_000,
      maxRows: 10_000,
      rates: { pipelineMillicents: 3_500, realtimeMillicents: 7_000 },
    },
  }
  const workspace = await store.createWorkspace('demo', now)
  const agent = await store.createAgent(newAgent(workspace.id, { aliases: ['agt_abc123'] }))
  const phoneNumber = await store.createPhoneNumber({
    workspaceId: workspace.id,
    e164: '+12025550100',
    trunkId: null,
    agentId: agent.id,
    maxConcurrentCalls: null,
    aliases: ['phone_abc123'],
    createdAt: now,
  })
  return {
    deps,
    workspace,
    agent,
    phoneNumber,
    request: (numbers, changes) => ({ ...newRequest(workspace, numbers), ...changes }),
    advance: ms => {
      now += ms
    },
  }
}

export function newAgent(workspaceId: number, changes: Partial<NewAgent> = {}): NewAgent {
  return {
    workspaceId,
    name: 'Ada',
    architecture: 'pipeline',
    prompt: null,
    firstMessage: 'Hello.',
    connection: null,
    maxConcurrentCalls: null,
    aliases: [],
    createdAt: start,
    ...changes,
  }
}

function newRequest(workspace: Workspace, numbers: readonly string[]): CreateBatchRequest {
  return {
    workspace,
    dialect: 'outdial',
    agentRef: 'agt_abc123',
    phoneNumberRef: null,
    name: 'March',
    description: null,
    source: contactsSource(numbers.map(phone => ({ phone }))),
    list: rules,
    timezone: 'UTC',
    scheduledAt: null,
    startAs: 'running',
    open: false,
    maxConcurrentCalls: null,
    callsPerSecond: null,
    retry: noRetries,
    window: null,
  }
}
