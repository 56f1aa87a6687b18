// What work costs a PostgreSQL database: rows written, write-ahead log, commits, by its own statistics.
import { onClient } from './postgres-cluster.ts'

export interface DatabaseCost {
  /** Reads included. */
  transactions: number
  inserted: number
  updated: number
  /** Of the updated ones: those that needed no new entry in an index. */
  hotUpdated: number
  deleted: number
  walBytes: number
  /** Pages of 8 kB, once all that was changed is on disk. */
  pagesWritten: number
  /** Times the log was written through to disk. */
  walSyncs: number
  /** How much the database has grown. */
  grownBytes: number
}

const pagesBefore17 = 'SELECT buffers_checkpoint + buffers_clean + buffers_backend FROM pg_stat_bgwriter'
const pagesSince17 = `SELECT sum(writes) FROM pg_stat_io WHERE object = 'relation'`

const snapshot = (pages: string) => `SELECT
  (SELECT xact_commit FROM pg_stat_database WHERE datname = current_database())::float8 AS transactions,
  sum(n_tup_ins)::float8 AS inserted, sum(n_tup_upd)::float8 AS updated,
  sum(n_tup_hot_upd)::float8 AS "hotUpdated", sum(n_tup_del)::float8 AS deleted,
  (SELECT pg_current_wal_insert_lsn() - '0/0'::pg_lsn)::float8 AS "walBytes",
  (SELECT wal_sync FROM pg_stat_wal)::float8 AS "walSyncs",
  (${pages})::float8 AS "pagesWritten",
  pg_database_size(current_database())::float8 AS "grownBytes"
  FROM pg_stat_user_tables`

/**
 * Does the work and says what it cost. A session hands in its statistics when it ends, so all that take part open after this
 * has begun and close before it returns; nobody else is at work on the server.
 */
export async function costOf<T>(
  url: string,
  work: () => Promise<T>,
): Promise<{ result: T; cost: DatabaseCost }> {
  const before = await look(url)
  const result = await work()
  const after = await look(url)
  const names = Object.keys(after) as (keyof DatabaseCost)[]
  const cost = Object.fromEntries(names.map(name => [name, after[name] - before[name]]))
  return { result, cost: cost as unknown as DatabaseCost }
}

/** `per call: 3.1 rows inserted, …` */
export function printCost(cost: DatabaseCost, calls: number): string {
  const each = (value: number, digits = 2) => (value / calls).toFixed(digits)
  return (
    `${each(cost.inserted)} rows inserted, ${each(cost.updated)} updated (${share(cost)} of them HOT), ` +
    `${each(cost.deleted)} deleted, ${each(cost.walBytes, 0)} bytes of log, ${each(cost.pagesWritten)} pages, ${each(cost.transactions, 3)} transactions, ` +
    `${each(cost.walSyncs, 3)} flushes, ${each(cost.grownBytes, 0)} bytes larger`
  )
}

function share({ hotUpdated, updated }: DatabaseCost): string {
  return `${Math.round((100 * hotUpdated) / updated)}%`
}

async function look(url: string): Promise<DatabaseCost> {
  return onClient(url, async client => {
    await client.query('CHECKPOINT')
    const { rows } = await client.query('SHOW server_version_num')
    const pages = Number(rows[0].server_version_num) < 170_000 ? pagesBefore17 : pagesSince17
    return (await client.query<DatabaseCost>(snapshot(pages))).rows[0]!
  })
}
