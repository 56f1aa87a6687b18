// A store with a workspace that can call: what every test of the store's conformance suite begins with.
import assert from 'node:assert/strict'
import type { TestContext } from 'node:test'
import type { Batch, NewBatch } from '../../src/domain/batch.ts'
import { classify, type Disposition, type Evidence, type Outcome } from '../../src/domain/outcome.ts'
import { countAll } from '../../src/domain/progress.ts'
import type { Standing } from '../../src/domain/recipient.ts'
import { noRetries } from '../../src/domain/retry.ts'
import type { Agent, PhoneNumber, Trunk, Workspace } from '../../src/domain/workspace.ts'
import type {
  Claim,
  ClaimRequest,
  ClaimResult,
  EndedAttempt,
  EndedResult,
  OrphanedAttempt,
  PlaceVerdict,
} from '../../src/store/dispatch-records.ts'
import type { AdoptRequest } from '../../src/store/node-records.ts'
import type {
  AcceptedRow,
  NewAgent,
  NewPhoneNumber,
  NewTrunk,
  RejectedRow,
  Store,
} from '../../src/store/store.ts'

/** An engine under test. */
export interface Engine {
  /** Random walks through it: fewer where each commit waits for a disk. */
  walks: number
  open(): Promise<Store>
  /** Ends the store and opens what it left on disk; absent where nothing outlives the process. */
  reopen?(store: Store): Promise<Store>
}

/** A Tuesday, midnight UTC. */
export const start = Date.UTC(2030, 0, 1)
export const node = 'node-1'

export interface Workbench {
  store: Store
  workspace: Workspace
  agent: Agent
  trunk: Trunk
  phoneNumber: PhoneNumber
  newBatch(changes?: Partial<NewBatch>): NewBatch
  /** A list imported whole: so many people of its own, or the rows given. */
  import(rows: number | AcceptedRow[], changes?: Partial<NewBatch>, rejected?: RejectedRow[]): Promise<Batch>
  batch(id: number): Promise<Batch>
  claim(changes?: Partial<ClaimRequest>): Promise<ClaimResult>
  place(claims: readonly Claim[], now?: number): Promise<PlaceVerdict[]>
  /** Claims and places. */
  call(changes?: Partial<ClaimRequest>): Promise<Claim[]>
  end(claims: readonly Claim[], how?: Partial<EndedAttempt>): Promise<EndedResult>
  /** Takes over what `nodeId` (default: ours) does not hold, as a node that is alone does. */
  adopt(nodeId?: string, changes?: Partial<AdoptRequest>): Promise<OrphanedAttempt[]>
  /** Everything that is open; afterwards all of it is ours. */
  openAttempts(): Promise<OrphanedAttempt[]>
  standings(batchId: number): Promise<Standing[]>
  /** Types of the batch's events, or of those that belong to no batch. */
  events(batchId: number | null): Promise<string[]>
}

export interface Furniture {
  maxConcurrentCalls?: number
  trunk?: Partial<NewTrunk>
  agent?: Partial<NewAgent>
  phoneNumber?: Partial<NewPhoneNumber>
}

/** A new store, closed after the test, with one workspace. */
export async function setUp(t: TestContext, engine: Engine, furniture: Furniture = {}): Promise<Workbench> {
  const store = await engine.open()
  t.after(() => store.close())
  return furnish(store, furniture)
}

/** A workspace with an agent, a trunk and a number. */
export async function furnish(store: Store, furniture: Furniture = {}): Promise<Workbench> {
  let workspace = await store.createWorkspace('demo', start)
  const { maxConcurrentCalls } = furniture
  if (maxConcurrentCalls !== undefined)
    workspace = await store.updateWorkspace(workspace.id, { maxConcurrentCalls }, start)
  const agent = await store.createAgent(newAgent(workspace.id, furniture.agent))
  const trunk = await store.createTrunk(newTrunk(workspace.id, furniture.trunk))
  const phoneNumber = await store.createPhoneNumber(
    newPhoneNumber(workspace.id, { trunkId: trunk.id, agentId: agent.id, ...furniture.phoneNumber }),
  )
  return workbench(store, workspace, agent, trunk, phoneNumber)
}

let lists = 0

/** The methods around what is there already. */
export function workbench(
  store: Store,
  workspace: Workspace,
  agent: Agent,
  trunk: Trunk,
  phoneNumber: PhoneNumber,
): Workbench {
  const bench: Workbench = {
    store,
    workspace,
    agent,
    trunk,
    phoneNumber,
    newBatch: changes => newBatch(bench, changes),
    async import(rows, changes, rejected = []) {
      const accepted = typeof rows === 'number' ? people(rows, ++lists) : rows
      const batchId = await store.beginImport(bench.newBatch(changes))
      await store.importRows(batchId, accepted, rejected)
      const counts = { rows: accepted.length + rejected.length }
      return store.finishImport(batchId, counts, () => {}, changes?.createdAt ?? start)
    },
    async batch(id) {
      const batch = await store.getBatch(workspace.id, id)
      assert.ok(batch !== null, `batch ${id} is there`)
      return batch
    },
    claim: changes =>
      store.claim({ now: start, nodeId: node, leaseMs: 30_000, maxClaims: 256, horizonMs: 250, ...changes }),
    place: (claims, now = start) =>
      store.placeCalls(
        claims.map(({ attemptId }) => ({ attemptId, callId: `call-${attemptId}` })),
        node,
        now,
      ),
    async call(changes) {
      const { claims } = await bench.claim(changes)
      const verdicts = await bench.place(claims, changes?.now)
      assert.deepEqual(new Set(verdicts), new Set(claims.length === 0 ? [] : ['placed']))
      return claims
    },
    adopt: (nodeId = node, changes) =>
      store.adoptOrphans({
        nodeId,
        leaseMs: 30_000,
        known: [],
        alone: true,
        maxAttempts: 10_000,
        ...changes,
      }),
    async openAttempts() {
      await bench.adopt('reader')
      return bench.adopt()
    },
    end: (claims, how) =>
      store.endAttempts(
        claims.map(claim => ended(claim, how)),
        how?.endedAt ?? start,
      ),
    async standings(batchId) {
      const recipients = await store.listRecipients(workspace.id, batchId, {}, { limit: 10_000 })
      return recipients.map(recipient => recipient.standing)
    },
    async events(batchId) {
      const events = await store.listEvents(workspace.id, { limit: 10_000 })
      return events.filter(event => event.batchId === batchId).map(event => event.type)
    },
  }
  return bench
}

/** Counters equal a count of the rows, and everybody stands somewhere. */
export async function assertCounted(bench: Workbench, batchId: number): Promise<void> {
  const batch = await bench.batch(batchId)
  assert.deepEqual(await bench.store.recount(batchId), batch.progress)
  assert.equal(countAll(batch.progress), batch.totalRecipients)
}

/** `count` people that no other list has. */
export function people(count: number, list = 0): AcceptedRow[] {
  return Array.from({ length: count }, (_, index) => person(index + 1, { list }))
}

export function person(
  rowNumber: number,
  changes: { list?: number; number?: string; zone?: string } = {},
): AcceptedRow {
  const { list = 0, zone = 'UTC' } = changes
  const number = changes.number ?? `+1${200 + list}${5_550_000 + rowNumber}`
  return { rowNumber, number, zone, variablesJson: JSON.stringify({ row: rowNumber }) }
}

export function newAgent(workspaceId: number, changes: Partial<NewAgent> = {}): NewAgent {
  return {
    workspaceId,
    name: 'Ada',
    architecture: 'pipeline',
    prompt: null,
    firstMessage: null,
    connection: null,
    maxConcurrentCalls: null,
    aliases: [],
    createdAt: start,
    ...changes,
  }
}

export function newTrunk(workspaceId: number, changes: Partial<NewTrunk> = {}): NewTrunk {
  return {
    workspaceId,
    name: 'north',
    kind: 'simulated',
    maxConcurrentCalls: null,
    callsPerSecond: null,
    settings: {},
    createdAt: start,
    ...changes,
  }
}

export function newPhoneNumber(workspaceId: number, changes: Partial<NewPhoneNumber> = {}): NewPhoneNumber {
  return {
    workspaceId,
    e164: '+12025550100',
    trunkId: null,
    agentId: null,
    maxConcurrentCalls: null,
    aliases: [],
    createdAt: start,
    ...changes,
  }
}

function newBatch({ workspace, agent, phoneNumber }: Workbench, changes: Partial<NewBatch> = {}): NewBatch {
  return {
    workspaceId: workspace.id,
    agentId: agent.id,
    phoneNumberId: phoneNumber.id,
    name: 'March',
    description: null,
    dialect: 'outdial',
    sentAgentId: String(agent.id),
    sentPhoneNumberId: null,
    open: false,
    timezone: 'UTC',
    scheduledAt: null,
    startAs: 'running',
    maxConcurrentCalls: null,
    callsPerSecond: null,
    retry: noRetries,
    window: null,
    ringTimeoutMs: 30_000,
    maxCallMs: 600_000,
    record: false,
    trace: false,
    answeringMachine: 'off',
    contentHash: 'a'.repeat(64),
    createdAt: start,
    ...changes,
  }
}

function ended(claim: Claim, how: Partial<EndedAttempt> = {}): EndedAttempt {
  return {
    attemptId: claim.attemptId,
    outcome: outcomeOf('answered'),
    answeredAt: null,
    endedAt: start,
    costMillicents: 0,
    next: { kind: 'finish' },
    suppress: false,
    ...how,
  }
}

const evidence: Evidence = {
  sipStatus: null,
  phrase: null,
  q850: null,
  endedBy: null,
  answeredAt: null,
  voicemail: false,
  agentFailed: false,
}
const evidenceOf: Partial<Record<Disposition | 'flagged', Partial<Evidence>>> = {
  answered: { sipStatus: 200, answeredAt: start },
  voicemail: { sipStatus: 200, answeredAt: start, voicemail: true },
  busy: { sipStatus: 486, phrase: 'Busy Here' },
  'no-answer': { endedBy: 'ring-timeout' },
  unreachable: { sipStatus: 404 },
  'carrier-failure': { sipStatus: 503 },
  lost: { endedBy: 'node-died' },
  flagged: { sipStatus: 608 },
}

/** How a call with this disposition (or one whose caller ID is flagged) is classified. */
export function outcomeOf(disposition: keyof typeof evidenceOf): Outcome {
  return classify({ ...evidence, ...evidenceOf[disposition] })
}
