// The outbox as somebody reads it who believes nothing else: each end told once, each change of a batch in order.
import type { DatabaseSync, StatementSync } from 'node:sqlite'
import type { EventType } from '../../src/domain/event.ts'
import { type Row, toEvent } from '../../src/store/rows.ts'
import type { WebhookFormat } from '../../src/webhooks/webhook-format.ts'
import type { Story } from './story.ts'

interface Told {
  id: number
  batch_id: number | null
  type: EventType
  data: string
}

interface BatchTale {
  status: string
  /** It was resumed before it had ever started: it went back to its schedule, and may have been started since. */
  isResumedUnstarted: boolean
  wasStarted: boolean
}

/** What a batch is after each event, and what it must have been before it. */
const moves: Partial<Record<EventType, { from: readonly string[]; to: string }>> = {
  'batch.created': { from: ['importing'], to: 'draft' },
  'batch.scheduled': { from: ['draft'], to: 'scheduled' },
  'batch.rescheduled': { from: ['draft', 'scheduled'], to: 'scheduled' },
  'batch.started': { from: ['draft', 'scheduled'], to: 'running' },
  'batch.paused': { from: ['scheduled', 'running'], to: 'paused' },
  'batch.cancelled': { from: ['draft', 'scheduled', 'running', 'paused'], to: 'cancelled' },
  'batch.completed': { from: ['running', 'paused'], to: 'completed' },
}

export class EventLedger {
  readonly #story: Story
  readonly #read: StatementSync
  readonly #statuses: StatementSync
  readonly #ended: StatementSync
  readonly #suppressedNow: StatementSync
  readonly #all: StatementSync
  readonly #forgotten = new Set<number>()
  #lastId = 0
  readonly #batches = new Map<number, BatchTale>()
  /** Attempts that were told to have ended, by batch. */
  readonly #ends = new Map<number, Set<number>>()
  /** Calls of each person that were told to have ended. */
  readonly #calls = new Map<number, number>()
  /** Numbers on the suppression list, with the order in which they came on it. */
  readonly suppressed = new Map<string, number>()
  /** Told of each attempt that ended as `lost`. */
  onLost: (attemptId: number) => void = () => {}
  /** Batches that stopped by themselves, with the order. */
  readonly selfPaused = new Map<number, number>()

  constructor(db: DatabaseSync, story: Story) {
    this.#story = story
    this.#read = db.prepare('SELECT id, batch_id, type, data FROM events WHERE id > ? ORDER BY id')
    this.#statuses = db.prepare(`SELECT id, status FROM batches WHERE status <> 'importing'`)
    this.#ended = db.prepare('SELECT id, batch_id FROM attempts')
    this.#all = db.prepare('SELECT id, workspace_id, batch_id, type, at, data FROM events ORDER BY id')
    this.#suppressedNow = db.prepare('SELECT number FROM suppressions ORDER BY number')
  }

  /** What has come since. */
  read(): void {
    for (const event of this.#read.all(this.#lastId) as unknown as Told[]) {
      this.#lastId = event.id
      this.#story.figures.events++
      this.#story.tell(`event ${event.id} ${event.type} of batch ${event.batch_id} ${event.data}`)
      this.#hear(event)
    }
  }

  /** Somebody deleted it. */
  forget(batchId: number): void {
    this.#forgotten.add(batchId)
    this.#batches.delete(batchId)
    this.#ends.delete(batchId)
  }

  /** Events that this format has words for, but those of deleted batches. */
  tellable(format: WebhookFormat): number[] {
    return (this.#all.all() as Row[])
      .map(toEvent)
      .filter(event => !this.#forgotten.has(event.batchId ?? 0) && format.namesOf(event).length > 0)
      .map(({ id }) => id)
  }

  check(): void {
    this.read()
    for (const { id, status } of this.#statuses.all() as { id: number; status: string }[]) {
      const told = this.#batches.get(id)?.status
      this.#story.holds('always told', told === status, () => `batch ${id} is ${status}, told: ${told}`)
    }
    let ended = 0
    for (const { id, batch_id: batchId } of this.#ended.all() as { id: number; batch_id: number }[]) {
      ended++
      const isTold = this.#ends.get(batchId)?.has(id) === true
      this.#story.holds('always told', isTold, () => `the end of attempt ${id} was never told`)
    }
    const told = [...this.#ends.values()].reduce((sum, { size }) => sum + size, 0)
    this.#story.holds('always told', told === ended, () => `${told} ends were told, ${ended} attempts ended`)
    const listed = (this.#suppressedNow.all() as { number: string }[]).map(({ number }) => number).join()
    const known = [...this.suppressed.keys()].sort().join()
    this.#story.holds('always told', listed === known, () => `suppressed: ${listed}, told: ${known}`)
  }

  #hear(event: Told): void {
    const { type, batch_id: batchId } = event
    const data = JSON.parse(event.data) as Record<string, never>
    if (type === 'number.suppressed') this.suppressed.set(data.number!, this.#story.nextOrder())
    else if (type === 'number.unsuppressed') this.suppressed.delete(data.number!)
    if (batchId === null) return
    const batch = this.#batches.get(batchId) ?? {
      status: 'importing',
      isResumedUnstarted: false,
      wasStarted: false,
    }
    this.#batches.set(batchId, batch)
    if (type === 'attempt.ended') this.#hearEnd(batchId, batch, data)
    else if (type === 'batch.resumed') this.#resumed(batchId, batch)
    else this.#moved(batchId, batch, type)
    if (type === 'batch.paused' && data.reason === ('first_calls_failed' as never))
      this.selfPaused.set(batchId, this.#story.nextOrder())
  }

  #moved(batchId: number, batch: BatchTale, type: EventType): void {
    const move = moves[type]
    if (move === undefined) return
    const isLate = type === 'batch.started' && batch.isResumedUnstarted
    const isLawful = move.from.includes(batch.status) || isLate
    if (type === 'batch.started') batch.wasStarted = true
    batch.isResumedUnstarted = false
    this.#story.holds('always told', isLawful, () => `${type} of batch ${batchId}, which was ${batch.status}`)
    batch.status = move.to
  }

  /** Back to its schedule where that still lies ahead; only the batch knows. */
  #resumed(batchId: number, batch: BatchTale): void {
    this.#story.holds('always told', batch.status === 'paused', () => `batch.resumed of batch ${batchId}`)
    this.selfPaused.delete(batchId)
    const row = this.#statuses.all().find(({ id }) => id === batchId)
    batch.status = row?.status === 'scheduled' ? 'scheduled' : 'running'
    batch.isResumedUnstarted = !batch.wasStarted
  }

  #hearEnd(batchId: number, batch: BatchTale, data: Record<string, number>): void {
    const { attemptId, recipientId, ordinal } = data as {
      attemptId: number
      recipientId: number
      ordinal: number
    }
    const ends = this.#ends.get(batchId) ?? new Set()
    this.#ends.set(batchId, ends)
    const holds = (isTrue: boolean, what: string) =>
      this.#story.holds('always told', isTrue, () => `attempt ${attemptId} of batch ${batchId}: ${what}`)
    holds(!ends.has(attemptId), 'its end was told twice')
    holds(batch.status !== 'completed', 'its end was told after the batch had completed')
    holds(ordinal === (this.#calls.get(recipientId) ?? 0) + 1, 'it was told out of its turn')
    ends.add(attemptId)
    this.#calls.set(recipientId, ordinal)
    if (data.disposition === ('lost' as never)) this.onLost(attemptId)
  }
}
