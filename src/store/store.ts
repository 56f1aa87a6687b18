// The store port: what must survive a crash. One transaction per method, named after what happened; each writes its
// event in the same transaction. Adapters (sqlite/, later postgres/) all pass test/store-conformance.
//
// Every method is scoped: where it takes a workspaceId, things of another workspace do not exist (null or empty).
import type { Batch, IngestCounts, NewBatch } from '../domain/batch.ts'
import type { CallTrace } from '../domain/call-trace.ts'
import type { Conversation } from '../domain/conversation.ts'
import type { OutboxEvent } from '../domain/event.ts'
import type { Attempt, Progress, Recipient, Standing } from '../domain/recipient.ts'
import type { RowReason } from '../domain/refusal.ts'
import type { Agent, ApiKey, PhoneNumber, Suppression, Trunk, Workspace } from '../domain/workspace.ts'
import type { DispatchStore } from './dispatch-store.ts'
import type { HousekeepingStore } from './housekeeping-store.ts'
import type { BatchFilter, Lookups, OffsetPage } from './lookups.ts'
import type { WebhookStore } from './webhook-records.ts'

// ---- resources ----

export interface NewAgent extends Omit<Agent, 'id' | 'breakerUntil'> {}
export interface NewTrunk
  extends Omit<Trunk, 'id' | 'breakerUntil' | 'breakerReason' | 'slowedCallsPerSecond'> {}
export interface NewPhoneNumber
  extends Omit<PhoneNumber, 'id' | 'trunkId' | 'maxCallsPerDay' | 'restingUntil'> {
  /** Absent: no cap. */
  maxCallsPerDay?: number | null
  /** null: the workspace's simulated trunk. */
  trunkId: number | null
}
export interface TrunkPatch
  extends Partial<Pick<Trunk, 'name' | 'maxConcurrentCalls' | 'callsPerSecond' | 'settings'>> {}
export interface WorkspacePatch
  extends Partial<
    Pick<
      Workspace,
      | 'name'
      | 'defaultRegion'
      | 'destinations'
      | 'maxConcurrentCalls'
      | 'creditMillicents'
      | 'window'
      | 'retention'
    >
  > {}

/** One page by cursor: items with an id greater than `after`, oldest first; or newest first below `before`. */
export interface CursorPage {
  after?: number
  limit: number
}

// ---- import ----

/** A row that passed ingest, ready to be stored. */
export interface AcceptedRow {
  rowNumber: number
  number: string
  zone: string
  /** Already JSON: the worker serialises it once, the store writes it as it is. */
  variablesJson: string
}
/** A row that was left out. */
export interface RejectedRow {
  rowNumber: number
  status: 'invalid' | 'duplicate' | 'suppressed'
  code: RowReason
  /** The offending value, as the file had it (at most 100 characters). */
  value: string | null
}
/** A line of the ingest report, rejected or accepted. */
export interface IngestRow {
  rowNumber: number
  status: 'accepted' | 'invalid' | 'duplicate' | 'suppressed'
  code: 'accepted' | RowReason
  value: string | null
}

/** The answer of a create, kept 24 h under its Idempotency-Key in the create's own transaction. */
export interface IdempotentAnswer {
  status: number
  body: unknown
}
/** What a create does about its Idempotency-Key: `answer` makes the body from the thing created, inside the transaction. */
export interface Idempotency<T> {
  key: string
  answer(created: T): IdempotentAnswer
}
export type IdempotencyVerdict =
  | { verdict: 'new' }
  | { verdict: 'in-flight' }
  | { verdict: 'other-body' }
  | { verdict: 'answered'; answer: IdempotentAnswer }

export interface Store extends DispatchStore, Lookups, WebhookStore, HousekeepingStore {
  close(): Promise<void>

  /** Called after a commit that may give the dispatcher work: rows, starts, resumes, raised limits, lifted stops. */
  onWork(listener: () => void): () => void
  /** Called after a commit that wrote events. */
  onEvents(listener: () => void): () => void

  // -- workspaces and keys --
  /** Creates the workspace with its simulated trunk. */
  createWorkspace(name: string, now: number): Promise<Workspace>
  listWorkspaces(): Promise<Workspace[]>
  /** The first workspace, made if there is none: one of the nodes that start together makes it. */
  firstWorkspace(name: string, now: number): Promise<{ workspace: Workspace; isNew: boolean }>
  getWorkspace(id: number): Promise<Workspace | null>
  updateWorkspace(id: number, patch: WorkspacePatch, now: number): Promise<Workspace>
  /** Emergency stop and its end. */
  setWorkspaceStopped(id: number, stopped: boolean, now: number): Promise<Workspace>
  createApiKey(
    workspaceId: number,
    name: string,
    prefix: string,
    hash: Uint8Array,
    now: number,
  ): Promise<ApiKey>
  /** By SHA-256; the caller compares nothing itself: the stored hash comes back for a constant-time comparison. */
  findApiKey(hash: Uint8Array): Promise<(ApiKey & { hash: Uint8Array }) | null>

  // -- agents, trunks, phone numbers, suppressions --
  /** Refusal `alias_taken` (conflict) when an alias equals an id or alias of the workspace. */
  createAgent(agent: NewAgent, idempotency?: Idempotency<Agent>): Promise<Agent>
  createTrunk(trunk: NewTrunk, idempotency?: Idempotency<Trunk>): Promise<Trunk>
  /** `settings` are replaced whole. null: no such trunk. */
  updateTrunk(workspaceId: number, trunkId: number, patch: TrunkPatch, now: number): Promise<Trunk | null>
  /** Refusal `unknown_trunk` / `unknown_agent` (not-found), `alias_taken` (conflict), `number_taken` (conflict). */
  createPhoneNumber(number: NewPhoneNumber, idempotency?: Idempotency<PhoneNumber>): Promise<PhoneNumber>
  /** `ref`: an alias, or the id in digits. */
  findAgent(workspaceId: number, ref: string): Promise<Agent | null>
  findTrunk(workspaceId: number, ref: string): Promise<Trunk | null>
  findPhoneNumber(workspaceId: number, ref: string): Promise<PhoneNumber | null>
  /** The agent's first phone number, else the workspace's first; null: neither. */
  defaultPhoneNumber(workspaceId: number, agentId: number): Promise<PhoneNumber | null>
  listAgents(workspaceId: number, page: CursorPage): Promise<Agent[]>
  listTrunks(workspaceId: number, page: CursorPage): Promise<Trunk[]>
  listPhoneNumbers(workspaceId: number, page: CursorPage): Promise<PhoneNumber[]>
  /** Takes effect before the next dial; recipients that wait become `suppressed` when their turn comes. */
  suppress(
    workspaceId: number,
    numbers: string[],
    reason: string,
    now: number,
    idempotency?: Idempotency<Suppression[]>,
  ): Promise<Suppression[]>
  unsuppress(workspaceId: number, number: string, now: number): Promise<boolean>
  listSuppressions(workspaceId: number, page: { afterNumber?: string; limit: number }): Promise<Suppression[]>

  // -- idempotency --
  /** Reserves the key for this request, or says what it was used for. A reservation of a dead process is swept at start. */
  reserveIdempotencyKey(
    workspaceId: number,
    key: string,
    fingerprint: string,
    now: number,
  ): Promise<IdempotencyVerdict>
  /** A refused create gives its key back. */
  releaseIdempotencyKey(workspaceId: number, key: string): Promise<void>

  // -- import --
  /** The first batch of an identical create (workspace, agent, name, content) since `since`, not cancelled or failed. */
  findIdenticalBatch(
    batch: Pick<NewBatch, 'workspaceId' | 'agentId' | 'name' | 'contentHash'>,
    since: number,
  ): Promise<Batch | null>
  /** A batch in `importing`: no reader sees it, nothing is dialled. */
  beginImport(batch: NewBatch): Promise<number>
  /** Accepted rows (those on the suppression list become rejected), and the report's lines for the rejected. */
  importRows(batchId: number, accepted: AcceptedRow[], rejected: RejectedRow[]): Promise<void>
  /**
   * Rows are whole. `decide` sees the counts and may throw a Refusal (strict mode, no good row, credits): then the
   * batch and its rows are discarded and the refusal passes on. Writes the idempotent answer in the same transaction.
   */
  finishImport(
    batchId: number,
    counts: { rows: number },
    decide: (ingest: IngestCounts) => void,
    now: number,
    idempotency?: Idempotency<Batch>,
  ): Promise<Batch>
  /** A batch that is live already stays: the commit that made it whole may not have been acknowledged. */
  discardImport(batchId: number): Promise<void>
  /** More recipients for an open batch, whole or not at all, with row numbers after the last; those it has are duplicates. */
  addRecipients(
    workspaceId: number,
    batchId: number,
    accepted: AcceptedRow[],
    rejected: RejectedRow[],
    rows: number,
    now: number,
    idempotency?: Idempotency<IngestCounts>,
  ): Promise<IngestCounts>

  // -- batches --
  getBatch(workspaceId: number, batchId: number): Promise<Batch | null>
  /** Newest first. Batches that are importing are never listed. `live`: scheduled, running or paused. */
  listBatches(
    workspaceId: number,
    filter: BatchFilter & { agentId?: number },
    page: OffsetPage,
  ): Promise<{ batches: Batch[]; total: number }>
  /** Newest first, by cursor. */
  listBatchesBefore(
    workspaceId: number,
    filter: BatchFilter,
    page: { beforeId?: number; limit: number },
  ): Promise<Batch[]>
  /** Refusal `wrong_status` (conflict, details.status) where the move is not lawful; null: no such batch. */
  startBatch(workspaceId: number, batchId: number, now: number): Promise<Batch | null>
  pauseBatch(workspaceId: number, batchId: number, reason: string, now: number): Promise<Batch | null>
  resumeBatch(workspaceId: number, batchId: number, now: number): Promise<Batch | null>
  /** Drops everybody who is not being called; `dropped` is how many. Calls under way end normally. */
  cancelBatch(
    workspaceId: number,
    batchId: number,
    now: number,
  ): Promise<{ batch: Batch; dropped: number } | null>
  closeBatch(workspaceId: number, batchId: number, now: number): Promise<Batch | null>
  rescheduleBatch(
    workspaceId: number,
    batchId: number,
    scheduledAt: number,
    timezone: string,
    now: number,
  ): Promise<Batch | null>
  /** Removes a finished or draft batch with its rows; Refusal `wrong_status` otherwise; false: no such batch. */
  deleteBatch(workspaceId: number, batchId: number, now: number): Promise<boolean>

  // -- reports --
  /** In order of position. */
  listRecipients(
    workspaceId: number,
    batchId: number,
    filter: { standings?: Standing[] },
    page: { afterPosition?: number; offset?: number; limit: number },
  ): Promise<Recipient[]>
  countRecipients(batchId: number, standings: Standing[]): Promise<number>
  /** Oldest first; by batch, or of the whole workspace. */
  listAttempts(
    workspaceId: number,
    filter: { batchId?: number },
    page: { afterId?: number; offset?: number; limit: number },
  ): Promise<
    (Attempt & {
      variables: Record<string, unknown>
      recipientPosition: number
      recipientAttempts: number
      maxAttempts: number
      standing: Standing
      /** What the agent found out; null: nothing was left behind. */
      results: Record<string, unknown> | null
      recordingBytes: number | null
    })[]
  >
  /** One call with what it left behind. */
  findAttempt(
    workspaceId: number,
    attemptId: number,
  ): Promise<(Attempt & { conversation: Conversation | null; variables: Record<string, unknown> }) | null>
  /** The SIP messages of a call, also of one that was put back; null: none were kept. */
  findTrace(workspaceId: number, attemptId: number): Promise<CallTrace | null>
  /** File names of a batch's recordings: whoever deletes the batch deletes them. */
  listRecordings(workspaceId: number, batchId: number): Promise<string[]>
  countAttempts(workspaceId: number, filter: { batchId?: number }): Promise<number>
  /** The ingest report, in order of row number. */
  listIngestRows(
    workspaceId: number,
    batchId: number,
    filter: { status?: IngestRow['status'] },
    page: { afterRow?: number; limit: number },
  ): Promise<IngestRow[]>
  /** Counts made anew from the rows: tests hold them equal to the counters. */
  recount(batchId: number): Promise<Progress>
  listEvents(workspaceId: number | null, page: CursorPage): Promise<OutboxEvent[]>
}
