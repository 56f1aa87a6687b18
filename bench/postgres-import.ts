// How fast does PostgreSQL take in a list? 200,000 rows through the store, beside the same rows by bare statements, and
// how long a small commit takes in the same run.
import { Client } from 'pg'
import { noRetries } from '../src/domain/retry.ts'
import { openPostgresStore } from '../src/store/postgres/postgres-store.ts'
import { startPostgres } from './postgres-cluster.ts'
import { seedBatch } from './seed-batch.ts'

const recipients = 200_000
const chunkRows = 1_000
const commits = 500

const cluster = await startPostgres({})
const url = cluster.url('postgres')
const store = await openPostgresStore({ url })
const client = new Client(url)
await client.connect()

const stored = await timed(() =>
  seedBatch(store, {
    recipients,
    trunkSettings: {},
    maxConcurrentCalls: 10,
    retry: noRetries,
    startAs: 'draft',
  }),
)
const bare = await timed(insertBare)
console.log(`through the store: ${Math.round(recipients / stored)} rows/s (${stored.toFixed(1)} s)`)
console.log(`bare unnest inserts: ${Math.round(recipients / bare)} rows/s (${bare.toFixed(1)} s)`)
console.log(`ratio: ${(stored / bare).toFixed(2)}`)

const workspace = await store.createWorkspace('commits', 0)
const times: number[] = []
for (let index = 0; index < commits; index++)
  times.push(await timed(() => store.setWorkspaceStopped(workspace.id, index % 2 === 0, 0)))
times.sort((one, other) => one - other)
const atShare = (share: number) => ((times[Math.floor(times.length * share)] ?? 0) * 1_000).toFixed(2)
console.log(`a small transaction with its event: p50 ${atShare(0.5)} ms, p99 ${atShare(0.99)} ms`)

await client.end()
await store.close()
await cluster.stop()

/** The same columns and indexes, a transaction a chunk; nothing is looked up or counted. */
async function insertBare(): Promise<void> {
  await client.query(`CREATE TABLE bare (LIKE recipients INCLUDING ALL);
    CREATE TABLE bare_details (LIKE recipient_details INCLUDING ALL)`)
  for (let from = 0; from < recipients; from += chunkRows) {
    const ids = Array.from({ length: chunkRows }, (_, index) => from + index + 1)
    await client.query('BEGIN')
    await client.query(
      `INSERT INTO bare_details (id, batch_id, row_number, number, variables)
       SELECT r.*, $3 FROM unnest($1::bigint[], $1::bigint[], $1::integer[], $2::text[]) AS r`,
      [ids, ids.map(id => `+1202${5_000_000 + id}`), '{"customer_name":"Person"}'],
    )
    await client.query(
      `INSERT INTO bare (id, batch_id, standing, due_at, zone)
       SELECT id, 1, 'queued', 0, 'America/New_York' FROM unnest($1::bigint[]) AS id`,
      [ids],
    )
    await client.query('COMMIT')
  }
}

/** Seconds. */
async function timed(work: () => Promise<unknown>): Promise<number> {
  const startedAt = performance.now()
  await work()
  return (performance.now() - startedAt) / 1_000
}
