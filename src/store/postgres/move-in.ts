// A store of another engine moves in: every table, in one transaction. Until its end the database is as empty as before, so
// that a move that failed is simply made again.
import { Client } from 'pg'
import { standings } from '../../domain/recipient.ts'
import { columnOf, type Row } from '../rows.ts'
import { MoveProblem, type MoveProgress, type StoreTable } from '../store-tables.ts'
import { databaseNow } from './database-time.ts'
import { migrate } from './migrate.ts'
import { checkServer } from './server-settings.ts'

/** Rows of one INSERT. */
const chunkRows = 5_000
/** Tables that others point to come first. */
const parents = ['workspaces', 'agents', 'trunks', 'phone_numbers', 'batches']
/** Tables that are two here. */
const parted: Readonly<Record<string, readonly string[]>> = {
  recipients: ['recipients', 'recipient_details'],
}
/** What another engine has no need of. */
const added: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  events: { xact: 'pg_current_xact_id()' },
  idempotency_keys: { reserved_at: databaseNow },
}

export interface MoveInRequest {
  url: string
  tables: readonly StoreTable[]
  now: number
  onProgress(progress: MoveProgress): void
  /** Everything is there and counted: the last moment before it holds. */
  beforeCommit(): void
}

/** Leaves the database held. @throws MoveProblem; the database's own errors */
export async function moveIn({ url, tables, now, onProgress, beforeCommit }: MoveInRequest): Promise<void> {
  const client = new Client({ connectionString: url, application_name: 'outdial' })
  client.on('error', () => {})
  await client.connect()
  try {
    await checkServer(client)
    await migrate(client)
    await client.query('SET statement_timeout = 0')
    await client.query('BEGIN')
    await refuseFull(client)
    const types = await readTypes(client)
    for (const table of inOrder(tables)) await copyTable(client, table, types, onProgress)
    await setSequences(client, tables)
    await verify(client, tables)
    await client.query(
      `INSERT INTO store_state (held_reason, held_since) VALUES ('move', $1)
       ON CONFLICT (id) DO UPDATE SET held_reason = 'move', held_since = $1`,
      [now],
    )
    beforeCommit()
    await client.query('COMMIT')
  } finally {
    // An open transaction ends with its connection.
    await client.end()
  }
}

async function refuseFull(client: Client): Promise<void> {
  await client.query('LOCK TABLE workspaces, batches IN SHARE ROW EXCLUSIVE MODE')
  const { rowCount } = await client.query('SELECT 1 FROM workspaces LIMIT 1')
  if (rowCount !== 0)
    throw new MoveProblem('the database holds a store already: a store moves into an empty one')
}

function inOrder(tables: readonly StoreTable[]): StoreTable[] {
  const first = parents.flatMap(parent => tables.filter(({ name }) => name === parent))
  return [...first, ...tables.filter(table => !first.includes(table))]
}

type Types = ReadonlyMap<string, ReadonlyMap<string, string>>

/** By table and column, e.g. `bigint`. */
async function readTypes(client: Client): Promise<Types> {
  const { rows } = await client.query<{ table_name: string; column_name: string; data_type: string }>(
    `SELECT table_name, column_name, data_type FROM information_schema.columns WHERE table_schema = current_schema()`,
  )
  const byTable = Map.groupBy(rows, row => row.table_name)
  return new Map(
    [...byTable].map(([table, columns]) => [
      table,
      new Map(columns.map(column => [column.column_name, column.data_type])),
    ]),
  )
}

async function copyTable(
  client: Client,
  table: StoreTable,
  types: Types,
  onProgress: (progress: MoveProgress) => void,
): Promise<void> {
  const targets = (parted[table.name] ?? [table.name]).map(name => ({ name, types: types.get(name) }))
  const homeless = table.columns.find(column => !targets.some(target => target.types?.has(column)))
  if (homeless !== undefined)
    throw new MoveProblem(
      `PostgreSQL has no place for ${table.name}.${homeless}: this version cannot move it`,
    )
  const inserts = targets.map(target => insertInto(target.name, target.types!, table.columns))
  let rows = 0
  for (const chunk of chunksOf(table.rows())) {
    for (const { sql, columns } of inserts)
      await client.query(
        sql,
        columns.map(({ name, type }) => chunk.map(row => storable(row[name], type))),
      )
    rows += chunk.length
    onProgress({ table: table.name, rows, of: table.count })
  }
}

function insertInto(table: string, types: ReadonlyMap<string, string>, from: readonly string[]) {
  const columns = from.filter(name => types.has(name)).map(name => ({ name, type: types.get(name)! }))
  const names = columns.map(({ name }) => name)
  const extra = Object.entries(added[table] ?? {})
  const arrays = columns.map(({ type }, index) => `$${index + 1}::${type}[]`)
  const sql = `INSERT INTO ${table} (${[...names, ...extra.map(([name]) => name)].join(', ')})
    SELECT ${[...names.map(name => `s.${name}`), ...extra.map(([, value]) => value)].join(', ')}
    FROM unnest(${arrays.join(', ')}) AS s (${names.join(', ')})`
  return { sql, columns }
}

function* chunksOf(rows: Iterable<Row>): Generator<Row[]> {
  let chunk: Row[] = []
  for (const row of rows) {
    if (chunk.push(row) < chunkRows) continue
    yield chunk
    chunk = []
  }
  if (chunk.length > 0) yield chunk
}

/** A boolean is 0 or 1 elsewhere; text holds no NUL here. */
function storable(value: unknown, type: string): unknown {
  if (value === null) return null
  if (type === 'boolean') return value === 1
  if (value instanceof Uint8Array) return Buffer.from(value)
  return typeof value === 'string' ? value.replaceAll('\0', '\ufffd') : value
}

/** Ids go on where they were, also after the highest one was deleted. */
async function setSequences(client: Client, tables: readonly StoreTable[]): Promise<void> {
  const { rows } = await client.query<{ table_name: string }>(
    `SELECT table_name FROM information_schema.columns
     WHERE table_schema = current_schema() AND is_identity = 'YES' AND column_name = 'id'`,
  )
  for (const { table_name: name } of rows) {
    const lastId = tables.find(table => table.name === name)?.lastId ?? 0
    await client.query(
      `SELECT setval(pg_get_serial_sequence($1, 'id'), last, true)
       FROM (SELECT greatest($2::bigint, max(id)) AS last FROM ${name}) AS ids WHERE last > 0`,
      [name, lastId],
    )
  }
  await client.query(
    `SELECT setval('attempt_ids', last, true) FROM (SELECT greatest(
       (SELECT max(id) FROM attempts), (SELECT max(id) FROM open_attempts)) AS last) AS ids WHERE last > 0`,
  )
}

/** Every row arrived, and every counter equals a count of the rows. */
async function verify(client: Client, tables: readonly StoreTable[]): Promise<void> {
  for (const { name, count } of tables)
    for (const target of parted[name] ?? [name]) {
      const { rows } = await client.query<{ count: string }>(`SELECT count(*) AS count FROM ${target}`)
      if (Number(rows[0]?.count) !== count)
        throw new MoveProblem(`${target} has ${rows[0]?.count} rows after the move, and had ${count} before`)
    }
  const columns = standings.map(standing => ({ standing, column: columnOf(standing) }))
  const counts = columns.map(
    ({ standing, column }) => `count(*) FILTER (WHERE standing = '${standing}') AS ${column}`,
  )
  const differs = columns.map(({ column }) => `p.${column} <> coalesce(c.${column}, 0)`)
  const { rows } = await client.query<{ batch_id: string }>(
    `SELECT p.batch_id FROM batch_progress p
       LEFT JOIN (SELECT batch_id, ${counts.join(', ')} FROM recipients GROUP BY batch_id) c ON c.batch_id = p.batch_id
       LEFT JOIN (SELECT batch_id, count(*) AS ended FROM attempts GROUP BY batch_id) a ON a.batch_id = p.batch_id
     WHERE ${differs.join(' OR ')} OR p.ended_attempts <> coalesce(a.ended, 0) LIMIT 1`,
  )
  const [first] = rows
  if (first !== undefined)
    throw new MoveProblem(`the counters of batch ${first.batch_id} do not equal a count of its rows`)
}
