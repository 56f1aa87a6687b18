// What has been kept long enough goes away, a little at a time and never in the way of calls.
import { deleteBatch } from '../batches/control-batch.ts'
import { removeRecordings } from '../batches/find-attempt.ts'
import { Refusal } from '../domain/refusal.ts'
import { keptSince, type Retention } from '../domain/retention.ts'
import type { Workspace } from '../domain/workspace.ts'
import type { Clock } from '../runtime/clock.ts'
import type { Logger } from '../runtime/logger.ts'
import { waitFor } from '../runtime/wait.ts'
import type { Cutoff } from '../store/housekeeping-store.ts'
import type { Store } from '../store/store.ts'

export interface HousekeeperDeps {
  store: Store
  clock: Clock
  logger: Logger
  recordingsDir?: string
  /** The oldest event that somebody still has to be told of; null: none. */
  lowestNeededEventId?(): Promise<number | null>
}

export interface Removed {
  recordings: number
  conversations: number
  events: number
  batches: number
  answers: number
}

const firstRoundAfterMs = 60_000
const roundEveryMs = 3_600_000
/** Rows looked at in one step: a few ms of the event loop. */
const maxRowsPerStep = 1_000
const maxBatchesPerStep = 20
/** After each step nine times as long is waited: a tenth of the time at most is housekeeping's. */
const pauseFactor = 9
const minPauseMs = 20

export class Housekeeper {
  readonly #deps: HousekeeperDeps
  readonly #stopping = new AbortController()
  readonly #removed: Removed = { recordings: 0, conversations: 0, events: 0, batches: 0, answers: 0 }
  #working: Promise<void> = Promise.resolve()

  constructor(deps: HousekeeperDeps) {
    this.#deps = deps
  }

  start(): void {
    this.#working = this.#work()
  }

  /** Since the start. */
  removed(): Readonly<Removed> {
    return this.#removed
  }

  async stop(): Promise<void> {
    this.#stopping.abort()
    await this.#working
  }

  /** Everything that is too old now. A store that waits to be accepted is left as it is. */
  async round(): Promise<void> {
    const { store, logger } = this.#deps
    if ((await store.getHold()) !== null) return
    const before = { ...this.#removed }
    const workspaces = await store.listWorkspaces()
    await this.#removeConversations('recordings', this.#cutoffs(workspaces, 'recordingDays'))
    await this.#removeConversations('transcripts', this.#cutoffs(workspaces, 'transcriptDays'))
    await this.#removeEvents(this.#cutoffs(workspaces, 'eventDays'))
    for (const cutoff of this.#cutoffs(workspaces, 'batchDays')) await this.#removeBatches(cutoff)
    await this.#removeAnswers()
    const kinds = Object.keys(before) as (keyof Removed)[]
    const gone = Object.fromEntries(kinds.map(kind => [kind, this.#removed[kind] - before[kind]]))
    if (Object.values(gone).some(count => count > 0)) logger.info(gone, 'what was kept long enough is gone')
  }

  async #work(): Promise<void> {
    const { clock, logger } = this.#deps
    const { signal } = this.#stopping
    for (let waitMs = firstRoundAfterMs; ; waitMs = roundEveryMs) {
      await waitFor(clock, waitMs, signal)
      if (signal.aborted) return
      await this.round().catch(error => logger.error({ err: error }, 'housekeeping failed: again in an hour'))
    }
  }

  #cutoffs(workspaces: readonly Workspace[], kind: keyof Retention): Cutoff[] {
    const now = this.#deps.clock.now()
    return workspaces.flatMap(({ id, retention }) => {
      const before = keptSince(retention[kind], now)
      return before === null ? [] : [{ workspaceId: id, before }]
    })
  }

  async #removeConversations(kind: 'recordings' | 'transcripts', cutoffs: Cutoff[]): Promise<void> {
    const { store, recordingsDir } = this.#deps
    if (cutoffs.length === 0) return
    await this.#walk(async after => {
      const stretch = { after, maxRows: maxRowsPerStep }
      const { found, next } = await store.listOldConversations(kind, cutoffs, stretch)
      const files = found.flatMap(({ recordingFile }) => (recordingFile === null ? [] : [recordingFile]))
      const ids = found.map(({ attemptId }) => attemptId)
      // The file first: what the store has forgotten nobody would find again.
      await removeRecordings(recordingsDir, files)
      if (ids.length > 0)
        await (kind === 'recordings' ? store.forgetRecordings(ids) : store.removeConversations(ids))
      this.#removed.recordings += files.length
      if (kind === 'transcripts') this.#removed.conversations += ids.length
      return next
    })
  }

  async #removeEvents(cutoffs: Cutoff[]): Promise<void> {
    const { store, lowestNeededEventId } = this.#deps
    if (cutoffs.length === 0) return
    const belowId = (await lowestNeededEventId?.()) ?? Number.MAX_SAFE_INTEGER
    await this.#walk(async after => {
      const stretch = { after, maxRows: maxRowsPerStep, belowId }
      const { removed, next } = await store.removeEvents(cutoffs, stretch)
      this.#removed.events += removed
      return next
    })
  }

  async #removeBatches(cutoff: Cutoff): Promise<void> {
    const { store } = this.#deps
    await this.#walk(async () => {
      const ids = await store.listOldBatches(cutoff, maxBatchesPerStep)
      let removed = 0
      for (const id of ids) if (await this.#removeBatch(cutoff.workspaceId, id)) removed++
      this.#removed.batches += removed
      return removed === maxBatchesPerStep ? 0 : null
    })
  }

  /** False: somebody of it is still on the telephone. */
  async #removeBatch(workspaceId: number, batchId: number): Promise<boolean> {
    try {
      await deleteBatch(this.#deps, workspaceId, batchId)
      return true
    } catch (error) {
      if (error instanceof Refusal) return false
      throw error
    }
  }

  async #removeAnswers(): Promise<void> {
    const { store, clock } = this.#deps
    await this.#walk(async () => {
      const removed = await store.removeOldAnswers(clock.now(), maxRowsPerStep)
      this.#removed.answers += removed
      return removed === maxRowsPerStep ? 0 : null
    })
  }

  /** Step after step, each from where the last one ended, with pauses. */
  async #walk(step: (after: number) => Promise<number | null>): Promise<void> {
    const { clock } = this.#deps
    const { signal } = this.#stopping
    for (let after: number | null = 0; after !== null && !signal.aborted; ) {
      const startedAt = clock.elapsed()
      after = await step(after)
      const tookMs = clock.elapsed() - startedAt
      if (after !== null) await waitFor(clock, Math.max(minPauseMs, tookMs * pauseFactor), signal)
    }
  }
}
