// One transaction: its statements, the events it writes into the outbox, and what it tells whom once it is committed.
import { createHash } from 'node:crypto'
import type { ClientBase, QueryResult } from 'pg'
import type { EventType } from '../../domain/event.ts'
import { Refusal } from '../../domain/refusal.ts'
import type { Row } from '../rows.ts'
import { type NewEvent, writeEvents } from './outbox.ts'
import { channels, type Signal } from './signals.ts'

/** Asks the database; a transaction sees its own writes. */
export interface Reader {
  rows(sql: string, values?: readonly unknown[]): Promise<Row[]>
  row(sql: string, values?: readonly unknown[]): Promise<Row | undefined>
}

/**
 * The COMMIT was sent and its answer never came: what was asked may have happened or not. Whoever asked looks, and does not
 * assume.
 */
export class CommitUnknown extends Refusal {
  constructor(cause: unknown) {
    super(
      'unavailable',
      'store_unavailable',
      'The connection to the database was lost while it was committing: what was asked may be done or not. Look before you ask again.',
    )
    this.name = 'CommitUnknown'
    this.cause = cause
  }
}

/** Who hears of new work: this process at once; idle nodes as well (`NOTIFY`, see signals.ts). */
type Audience = 'every-node' | 'this-node'

/** An earlier statement of the transaction has failed. */
const transactionAborted = '25P02'

const names = new Map<string, string>()

/** Prepared once per text and connection. All texts are constants of this folder, so there are a few hundred at most. */
export function prepared(sql: string, values: readonly unknown[]) {
  let name = names.get(sql)
  if (name === undefined) {
    name = createHash('sha256').update(sql).digest('base64url').slice(0, 20)
    names.set(sql, name)
  }
  return { name, text: sql, values: values.map(storable) }
}

/** Text in PostgreSQL holds every character but NUL, which nobody can have meant: a sign in its place says so. */
function storable(value: unknown): unknown {
  if (typeof value === 'string') return value.includes('\0') ? value.replaceAll('\0', '\ufffd') : value
  return Array.isArray(value) ? value.map(storable) : value
}

export class Transaction implements Reader {
  readonly #client: ClientBase
  readonly #instanceId: string
  readonly #begun: Promise<unknown>
  readonly #events: NewEvent[] = []
  readonly #notified = new Set<Signal>()
  readonly #last: { sql: string; values: readonly unknown[] }[] = []
  #waitsForBegin = false
  #failure: unknown
  /** What listeners in this process are to hear. */
  readonly signals = new Set<Signal>()

  constructor(client: ClientBase, instanceId: string, begin: string) {
    this.#client = client
    this.#instanceId = instanceId
    // Not waited for: the locks and reads at the beginning travel with it. What changes something waits until it holds.
    this.#begun = client.query(begin)
    this.#begun.catch(() => {})
  }

  async rows(sql: string, values: readonly unknown[] = []): Promise<Row[]> {
    return (await this.#send(sql, values)).rows
  }

  async row(sql: string, values: readonly unknown[] = []): Promise<Row | undefined> {
    return (await this.rows(sql, values))[0]
  }

  /** Returns how many rows it changed. */
  async change(sql: string, values: readonly unknown[] = []): Promise<number> {
    return (await this.#send(sql, values)).rowCount ?? 0
  }

  /** Sent together with the commit: for what locks others out, and whose answer nobody needs. */
  last(sql: string, values: readonly unknown[]): void {
    this.#last.push({ sql, values })
  }

  async #send(sql: string, values: readonly unknown[]): Promise<QueryResult<Row>> {
    this.#waitsForBegin ||= !sql.startsWith('SELECT')
    if (this.#waitsForBegin) await this.#begun
    try {
      return await this.#client.query<Row>(prepared(sql, values))
    } catch (error) {
      throw this.#firstFailure(error)
    }
  }

  /**
   * Statements travel together, and after one has failed the server refuses those behind it. Whoever waits for several may
   * hear of a refusal first; it is told the reason, because a deadlock is tried again and a refusal is not.
   */
  #firstFailure(error: unknown): unknown {
    if (sqlState(error) !== transactionAborted) this.#failure ??= error
    return this.#failure ?? error
  }

  /** Writes an event into the outbox, with the commit. */
  emit(workspaceId: number, batchId: number | null, type: EventType, at: number, dataJson: string): void {
    this.#events.push({ workspaceId, batchId, type, at, dataJson })
    this.signals.add('events')
    if (!type.startsWith('attempt.')) this.#notified.add('events')
  }

  /** After this commit a dispatcher may have work. */
  workChanged(audience: Audience = 'every-node'): void {
    this.signals.add('work')
    if (audience === 'every-node') this.#notified.add('work')
  }

  async commit(): Promise<void> {
    await this.#begun
    const before: Promise<unknown>[] = this.#last.map(({ sql, values }) => this.rows(sql, values))
    for (const signal of this.#notified)
      before.push(this.rows('SELECT pg_notify($1, $2)', [channels[signal], this.#instanceId]))
    if (this.#events.length > 0) before.push(writeEvents(this, this.#events))
    const committed = this.#client.query('COMMIT')
    const [written, commit] = await Promise.allSettled([Promise.all(before), committed])
    if (written.status === 'rejected') {
      // Then the server has rolled back, unless it was the connection that failed, with the COMMIT under way.
      if (isAnswer(written.reason)) throw written.reason
      throw new CommitUnknown(written.reason)
    }
    if (commit.status === 'rejected') {
      if (isAnswer(commit.reason)) throw commit.reason
      throw new CommitUnknown(commit.reason)
    }
    // PostgreSQL answers ROLLBACK to the COMMIT of a transaction in which a statement failed.
    if (commit.value.command !== 'COMMIT') throw new Error('the transaction was rolled back')
  }

  /** False: the connection is of no more use. */
  async rollback(): Promise<boolean> {
    try {
      await this.#client.query('ROLLBACK')
      return true
    } catch {
      return false
    }
  }
}

/** Errors that say that the server is going away may come after the commit they seem to refuse (class 57, 08, XX). */
const goingAway = /^(57|08|XX|58)/

/** Whether the database itself said no, with a code, and can be believed. */
function isAnswer(error: unknown): boolean {
  const code = sqlState(error)
  return code !== null && !goingAway.test(code)
}

/** The SQLSTATE of an error that the server sent; null: the error is another. */
export function sqlState(error: unknown): string | null {
  const code = error instanceof Error && 'code' in error ? error.code : null
  return typeof code === 'string' && /^[0-9A-Z]{5}$/.test(code) && 'severity' in (error as object)
    ? code
    : null
}
