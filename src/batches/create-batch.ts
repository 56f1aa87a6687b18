// A list becomes a batch: resolve who calls, read the rows, check credits, commit.
import path from 'node:path'
import type { Batch, Dialect, IngestCounts, NewBatch } from '../domain/batch.ts'
import type { CallingWindow } from '../domain/calling-window.ts'
import type { MachinePolicy } from '../domain/conversation.ts'
import { estimateBatch } from '../domain/estimate.ts'
import { Refusal } from '../domain/refusal.ts'
import type { RetryPolicy } from '../domain/retry.ts'
import type { Workspace } from '../domain/workspace.ts'
import type { ListRules, ListSource } from '../ingest/ingest.ts'
import type { Idempotency } from '../store/store.ts'
import type { Deps } from './deps.ts'
import { type Caller, findCaller } from './find-caller.ts'
import { type CallersWanted, findCallers } from './find-callers.ts'
import { localListRules, noValidContacts, readList, type SeenReasons } from './read-list.ts'

export interface CreateBatchRequest {
  workspace: Workspace
  dialect: Dialect
  /** As the client spelled them: id digits or alias. At least one of the two; a number brings its outbound agent. */
  agentRef: string | null
  phoneNumberRef: string | null
  /** Several numbers to call from in turns, instead of `phoneNumberRef`. */
  callers?: CallersWanted
  /** null: the file's name without its ending, else `Batch`. */
  name: string | null
  description: string | null
  source: ListSource
  /** How this dialect reads a list. */
  list: ListRules
  timezone: string
  /** Epoch ms, already resolved by domain/scheduled-start; null: at once. */
  scheduledAt: number | null
  startAs: 'running' | 'draft'
  open: boolean
  maxConcurrentCalls: number | null
  callsPerSecond: number | null
  retry: RetryPolicy
  window: CallingWindow | null
  ringTimeoutMs?: number
  maxCallMs?: number
  /** Absent: not recorded. */
  record?: boolean
  /** Absent: as the trunk says. */
  trace?: boolean
  /** Absent: off. */
  answeringMachine?: MachinePolicy
  /** Of a single call; see create-call. */
  call?: Pick<NewBatch, 'metadata' | 'needsPlace'>
}

export interface CreatedBatch {
  batch: Batch
  /** True when an identical create within the last minute had made it already. */
  repeated: boolean
}

const defaultRingTimeoutMs = 45_000
const defaultMaxCallMs = 3_600_000
const maxNameLength = 200
const millicentsPerCent = 1_000

interface Callers extends Caller {
  phoneNumberIds: number[]
}

/** Creates that are under way in this process, by store: the second of two identical ones waits for the first. */
const underWay = new WeakMap<Deps['store'], Map<string, Promise<Batch>>>()

/**
 * Makes a batch of a list, whole or not at all. An identical create (workspace, agent, name, content) within
 * `repeatWindowMs` answers with the first batch, unless an Idempotency-Key says that it is meant.
 *
 * Refusals: those of find-caller, find-callers and ingest, `past_scheduled_time`, `no_valid_contacts`, `insufficient_credits`.
 */
export async function createBatch(
  deps: Deps,
  request: CreateBatchRequest,
  idempotency?: Idempotency<Batch>,
): Promise<CreatedBatch> {
  const now = deps.clock.now()
  if (request.scheduledAt !== null && request.scheduledAt < now)
    throw new Refusal('invalid', 'past_scheduled_time', 'Scheduled time must be in the future')
  const caller = await findAllCallers(deps, request)
  const batch = newBatch(request, caller, now)
  if (idempotency !== undefined || deps.config.repeatWindowMs === 0)
    return { batch: await importList(deps, request, caller, batch, idempotency), repeated: false }
  return createUnlessRepeated(deps, batch, () => importList(deps, request, caller, batch))
}

async function findAllCallers(deps: Deps, request: CreateBatchRequest): Promise<Callers> {
  const { workspace, callers: wanted, agentRef, phoneNumberRef } = request
  if (wanted === undefined) {
    const caller = await findCaller(deps, workspace.id, request)
    return { ...caller, phoneNumberIds: [caller.phoneNumber.id] }
  }
  const numbers = await findCallers(deps, workspace.id, wanted)
  const first = numbers[0] === undefined ? phoneNumberRef : String(numbers[0].id)
  const caller = await findCaller(deps, workspace.id, { agentRef, phoneNumberRef: first })
  return { ...caller, phoneNumberIds: numbers.map(({ id }) => id) }
}

async function createUnlessRepeated(
  { store, config }: Deps,
  batch: NewBatch,
  create: () => Promise<Batch>,
): Promise<CreatedBatch> {
  const creates = underWay.getOrInsertComputed(store, () => new Map())
  const identity = JSON.stringify([batch.workspaceId, batch.agentId, batch.name, batch.contentHash])
  const first = creates.get(identity)
  if (first !== undefined) return { batch: await first, repeated: true }
  let repeated = true
  const creating = store
    .findIdenticalBatch(batch, batch.createdAt - config.repeatWindowMs)
    .then(earlier => {
      repeated = earlier !== null
      return earlier ?? create()
    })
    .finally(() => creates.delete(identity))
  creates.set(identity, creating)
  return { batch: await creating, repeated }
}

async function importList(
  deps: Deps,
  request: CreateBatchRequest,
  caller: Caller,
  batch: NewBatch,
  idempotency?: Idempotency<Batch>,
): Promise<Batch> {
  const { store, clock } = deps
  const batchId = await store.beginImport(batch)
  try {
    const rules = localListRules(request.list, request.workspace, caller)
    const { rows, reasons } = await readList(request.source, rules, request.open, (accepted, rejected) =>
      store.importRows(batchId, accepted, rejected),
    )
    const decide = (counts: IngestCounts) => acceptCounts(deps, request, caller, counts, reasons)
    return await store.finishImport(batchId, { rows }, decide, clock.now(), idempotency)
  } catch (error) {
    const live = await abandonImport(deps, batch.workspaceId, batchId)
    if (live !== null) return live
    throw error
  }
}

/** Discards what was not finished. A batch that is live all the same, whose commit was not acknowledged, is the answer. */
async function abandonImport(
  { store, logger }: Deps,
  workspaceId: number,
  batchId: number,
): Promise<Batch | null> {
  try {
    await store.discardImport(batchId)
    return await store.getBatch(workspaceId, batchId)
  } catch (error) {
    logger.error({ err: error, batchId }, 'A refused import could not be discarded; the next start sweeps it')
    return null
  }
}

/** The last word before the commit: somebody to call, and credit enough to do it. */
function acceptCounts(
  { config }: Deps,
  { workspace, open }: CreateBatchRequest,
  { agent }: Caller,
  counts: IngestCounts,
  reasons: SeenReasons,
): void {
  if (counts.accepted === 0 && !open) throw noValidContacts(counts, reasons)
  const { pipelineMillicents: pipeline, realtimeMillicents: realtime } = config.rates
  const rates = { pipeline, realtime }
  const { costMillicents } = estimateBatch(counts.accepted, 1, agent.architecture, rates)
  const credit = workspace.creditMillicents
  if (credit !== null && costMillicents > credit)
    throw new Refusal(
      'invalid',
      'insufficient_credits',
      'The estimated cost of this batch is above the credit that is left.',
      { estimatedCents: costMillicents / millicentsPerCent, creditCents: credit / millicentsPerCent },
    )
}

function newBatch(
  request: CreateBatchRequest,
  { agent, phoneNumber, phoneNumberIds }: Callers,
  now: number,
): NewBatch {
  const { workspace, agentRef, phoneNumberRef, source } = request
  return {
    workspaceId: workspace.id,
    agentId: agent.id,
    phoneNumberId: phoneNumber.id,
    ...(phoneNumberIds.length > 1 ? { phoneNumberIds } : {}),
    name: nameOf(request.name, source),
    description: request.description,
    dialect: request.dialect,
    sentAgentId: agentRef ?? String(agent.id),
    sentPhoneNumberId: phoneNumberRef,
    open: request.open,
    timezone: request.timezone,
    scheduledAt: request.scheduledAt,
    startAs: request.startAs,
    contentHash: source.sha256,
    createdAt: now,
    maxConcurrentCalls: request.maxConcurrentCalls,
    callsPerSecond: request.callsPerSecond,
    retry: request.retry,
    window: request.window,
    ringTimeoutMs: request.ringTimeoutMs ?? defaultRingTimeoutMs,
    maxCallMs: request.maxCallMs ?? defaultMaxCallMs,
    record: request.record ?? false,
    trace: request.trace ?? false,
    answeringMachine: request.answeringMachine ?? 'off',
    ...(request.call === undefined ? {} : { kind: 'call', ...request.call }),
  }
}

function nameOf(sent: string | null, source: ListSource): string {
  if (sent !== null) return sent
  const fileName = source.kind === 'file' ? path.parse(source.fileName).name : ''
  return fileName.trim().slice(0, maxNameLength) || 'Batch'
}
