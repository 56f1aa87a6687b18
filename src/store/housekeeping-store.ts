// The part of the store port that keeps house: what goes away with time, a person who wants to be forgotten, copies of the
// store, API keys, and the log of who did what.
import type { ApiKey } from '../domain/workspace.ts'

/** Everything of the workspace from before `before` (epoch ms) has been kept long enough. */
export interface Cutoff {
  workspaceId: number
  before: number
}

/** Where a walk through old rows stands; it reads a bounded stretch at a time. */
export interface Stretch {
  /** Ids up to this one have been looked at. */
  after: number
  maxRows: number
}

export interface OldConversation {
  attemptId: number
  recordingFile: string | null
}

/** How many of each were found and removed, or masked. */
export interface Erasure {
  recipients: number
  /** Of them, those who were still to be called. */
  cancelled: number
  attempts: number
  conversations: number
  recordings: number
  /** SIP messages of calls. */
  traces: number
  rejectedRows: number
  events: number
  answers: number
  /** The number stays on the suppression list: "do not call" outlives the person's data. */
  suppressed: boolean
}

/** Why nothing is dialled: the store came out of a backup, was copied or moved. */
export type HoldReason = 'backup' | 'copy' | 'move'

export interface StoreHold {
  reason: HoldReason
  /** When the backup was made, or the copy was noticed, epoch ms. */
  since: number
}

/** What a held store would go on with. */
export interface HeldWork {
  /** Batches that run, or will start by themselves. */
  batches: number
  /** People in them who are still to be called. */
  people: number
  /** Calls that were under way when the copy was made: how they ended is not known here. */
  calling: number
  lastEventAt: number | null
}

export interface ListedApiKey extends ApiKey {
  revokedAt: number | null
}

/** One thing that somebody did through the API. */
export interface AuditEntry {
  workspaceId: number
  at: number
  apiKeyId: number | null
  apiKeyPrefix: string | null
  /** Method and route, e.g. `POST /api/v1/batches/:id/pause`. */
  action: string
  /** What it was done to; never a telephone number. */
  subject: string | null
}

export interface HousekeepingStore {
  // -- what goes away with time: each call is one bounded step, `next` null: nothing older is left --
  /** Conversations (or those with a recording) that are older than their workspace's cutoff. */
  listOldConversations(
    kind: 'recordings' | 'transcripts',
    cutoffs: readonly Cutoff[],
    stretch: Stretch,
  ): Promise<{ found: OldConversation[]; next: number | null }>
  /** The call stays with its transcript; its recording is not known any more. */
  forgetRecordings(attemptIds: readonly number[]): Promise<void>
  removeConversations(attemptIds: readonly number[]): Promise<void>
  /** Events older than their workspace's cutoff and with an id below `belowId`: from there on somebody still needs them.
   * The newest of all stays, so that ids go on from it. */
  removeEvents(
    cutoffs: readonly Cutoff[],
    stretch: Stretch & { belowId: number },
  ): Promise<{ removed: number; next: number | null }>
  /** Ids of batches that ended before, oldest first. */
  listOldBatches(cutoff: Cutoff, limit: number): Promise<number[]>
  /** Idempotent answers that are out of date. Returns how many. */
  removeOldAnswers(now: number, limit: number): Promise<number>

  // -- a person who wants to be forgotten --
  /**
   * Removes what the workspace knows of the person with this number, in every batch: nobody calls them, the number and
   * the variables are gone, counts stay. `removeRecordings` is called before the store forgets their names. A crash in
   * between is mended by asking again. Refusal `call_under_way` (conflict): they are being called.
   */
  erasePerson(
    workspaceId: number,
    number: string,
    now: number,
    removeRecordings: (files: readonly string[]) => Promise<void>,
  ): Promise<Erasure>

  // -- copies of the store --
  /**
   * Writes a consistent copy to a new file; whoever opens that finds it held. Calls go on meanwhile. Refusal
   * `backup_elsewhere` (conflict) where the engine has tools of its own.
   */
  backUp(path: string): Promise<void>
  /** About how large a copy will be. */
  sizeBytes(): Promise<number>
  /** Names of recordings, in order of attempt. */
  listAllRecordings(page: { after: number; limit: number }): Promise<{ attemptId: number; file: string }[]>
  /** null: it calls. While it is held nothing is claimed, placed or started. */
  getHold(): Promise<StoreHold | null>
  /** From now on, and in every copy: whoever moves a store away holds what stays behind. */
  hold(reason: HoldReason, since: number): Promise<void>
  countHeldWork(): Promise<HeldWork>
  /** A person has accepted what the store would do. False: it was not held. */
  liftHold(): Promise<boolean>

  // -- API keys and the audit log --
  listApiKeys(workspaceId: number): Promise<ListedApiKey[]>
  /** Whether a key that opens nothing any more is known by this hash. */
  isRevokedKey(hash: Uint8Array): Promise<boolean>
  /** Null: no such key. Refusal `last_api_key` (conflict): nobody could enter any more. */
  revokeApiKey(workspaceId: number, keyId: number, now: number): Promise<ListedApiKey | null>
  /** Only ever added to. */
  writeAudit(entry: AuditEntry): Promise<void>
  /** Newest first. */
  listAudit(
    workspaceId: number,
    page: { beforeId?: number; limit: number },
  ): Promise<(AuditEntry & { id: number })[]>
}
