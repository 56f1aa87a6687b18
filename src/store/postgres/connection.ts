// The pool of connections and what every statement family shares: reads, transactions, signals.
import { randomUUID } from 'node:crypto'
import { type ClientConfig, Pool, type PoolClient, types } from 'pg'
import type { Row } from '../rows.ts'
import { recogniseDatabase } from './hold.ts'
import { type Signal, Signals } from './signals.ts'
import { CommitUnknown, prepared, type Reader, sqlState, Transaction } from './transaction.ts'
import { explainDatabase } from './unavailable.ts'

/** Connections of one node beside the one that listens; PostgreSQL grants 100 by default, to all nodes together. */
const poolSize = 10
/** Reaching the database, or waiting for a connection of the pool to be free. */
const connectTimeoutMs = 10_000
/** The server gives up a statement after this; the longest of ours deletes a few thousand rows. */
const statementTimeoutMs = 30_000
/** Without any answer after this the connection is given up: the server, or the way to it, is gone. */
const answerTimeoutMs = 35_000
/** A transaction of a node that stands still (SIGSTOP, a long pause) does not hold its locks for longer. */
const idleInTransactionMs = 10_000
const keepAliveAfterMs = 10_000
/** How often a transaction that met another (deadlock, serialisation) is run. */
const maxTries = 5

/** When events that could not be read yet are looked for again: most transactions are over by then. */
const unsettledEventsMs = 20

const deadlock = '40P01'
const serialisation = '40001'
const readOnly = '25006'
const int8 = 20

/**
 * Rows of open calls live for moments. A plain walk of an index marks what it finds dead, and the next one passes that over;
 * a bitmap does not: measured, it read 100,000 dead entries (12 ms) to count 1,000 calls, until the server cleaned up. And
 * nothing here is worth compiling: where an estimate is far off, that took 300 ms a statement.
 */
const planning = 'SET LOCAL enable_bitmapscan = off; SET LOCAL jit = off'

/** Each statement sees what was committed before it: a count comes after the lock that makes it hold. */
const beginWrite = `BEGIN ISOLATION LEVEL READ COMMITTED; ${planning}`
const beginSnapshot = 'BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY'

type Listener = () => void

/** How each connection of a store is made. */
export function clientConfig(url: string): ClientConfig {
  return {
    connectionString: url,
    application_name: 'outdial',
    connectionTimeoutMillis: connectTimeoutMs,
    statement_timeout: statementTimeoutMs,
    query_timeout: answerTimeoutMs,
    idle_in_transaction_session_timeout: idleInTransactionMs,
    keepAlive: true,
    keepAliveInitialDelayMillis: keepAliveAfterMs,
    // bigint holds times, ids and sums, all far below 2^53.
    types: {
      getTypeParser: ((oid: number, format: 'text') =>
        oid === int8 ? Number : types.getTypeParser(oid, format)) as typeof types.getTypeParser,
    },
  }
}

export class Connection implements Reader {
  readonly #pool: Pool
  readonly #instanceId = randomUUID()
  readonly #signals: Signals
  readonly #listeners: Record<Signal, Set<Listener>> = { work: new Set(), events: new Set() }
  readonly #pending = new Set<Promise<unknown>>()
  #isClosed = false
  #eventsTimer: NodeJS.Timeout | null = null

  constructor(config: ClientConfig) {
    this.#pool = new Pool({ ...config, max: poolSize, pipeline: true, onConnect: recogniseDatabase })
    // A connection that breaks fails the statement that is under way; nobody else has to hear of it.
    this.#pool.on('error', () => {})
    this.#pool.on('connect', client => client.on('error', () => {}))
    this.#signals = new Signals(config, this.#instanceId, signal => this.#tell(signal))
  }

  listen(): Promise<void> {
    return this.#signals.listen()
  }

  async rows(sql: string, values: readonly unknown[] = []): Promise<Row[]> {
    return (await this.#started(() => this.#pool.query<Row>(prepared(sql, values)))).rows
  }

  async row(sql: string, values: readonly unknown[] = []): Promise<Row | undefined> {
    return (await this.rows(sql, values))[0]
  }

  /** Several reads that see the same instant. */
  async snapshot<T>(look: (reader: Reader) => Promise<T>): Promise<T> {
    try {
      return (await this.#transaction(look, beginSnapshot)).result
    } catch (error) {
      throw error instanceof CommitUnknown ? explainDatabase(error.cause) : error
    }
  }

  /**
   * Runs `work` in a transaction and resolves once that is on disk. `work` may run several times (deadlocks), so it
   * touches nothing but the database.
   * @throws CommitUnknown; a Refusal `store_unavailable`; the database's own error; whatever `work` throws
   */
  async write<T>(work: (tx: Transaction) => Promise<T>): Promise<T> {
    for (let tries = 1; ; tries++) {
      try {
        const { result, tx } = await this.#transaction(work, beginWrite)
        for (const signal of tx.signals) this.#tell(signal)
        return result
      } catch (error) {
        const code = sqlState(error)
        if (tries === maxTries || (code !== deadlock && code !== serialisation)) throw error
      }
    }
  }

  onWork(listener: Listener): () => void {
    this.#listeners.work.add(listener)
    return () => this.#listeners.work.delete(listener)
  }

  onEvents(listener: Listener): () => void {
    this.#listeners.events.add(listener)
    return () => this.#listeners.events.delete(listener)
  }

  /** Events are committed that can be read once older transactions, perhaps of other nodes, are over: told again then. */
  tellEventsSoon(): void {
    if (this.#isClosed || this.#eventsTimer !== null) return
    this.#eventsTimer = setTimeout(() => {
      this.#eventsTimer = null
      this.#tell('events')
    }, unsettledEventsMs)
    this.#eventsTimer.unref()
  }

  /** What has begun is finished (each statement has its time limit); nothing else is begun. */
  async close(): Promise<void> {
    this.#isClosed = true
    if (this.#eventsTimer !== null) clearTimeout(this.#eventsTimer)
    await this.#signals.close()
    await Promise.allSettled(this.#pending)
    await this.#pool.end()
  }

  async #started<T>(work: () => Promise<T>): Promise<T> {
    if (this.#isClosed) throw new Error('the store is closed')
    const started = work()
    this.#pending.add(started)
    try {
      return await started
    } catch (error) {
      throw explainDatabase(error)
    } finally {
      this.#pending.delete(started)
    }
  }

  #transaction<T>(work: (tx: Transaction) => Promise<T>, begin: string) {
    return this.#started(() => this.#runTransaction(work, begin))
  }

  async #runTransaction<T>(work: (tx: Transaction) => Promise<T>, begin: string) {
    const client: PoolClient = await this.#pool.connect()
    let isUsable = true
    const tx = new Transaction(client, this.#instanceId, begin)
    try {
      const result = await work(tx)
      await tx.commit()
      return { result, tx }
    } catch (error) {
      // After a fail-over an old connection may lead to what is a standby now: a new one finds the primary.
      isUsable = (await tx.rollback()) && sqlState(error) !== readOnly
      throw error
    } finally {
      client.release(!isUsable)
    }
  }

  #tell(signal: Signal): void {
    for (const listener of this.#listeners[signal]) listener()
  }
}
