// Times the bare statements of call life cycles on PostgreSQL, with so many processes, and bare commits.
import { Client } from 'pg'
import { BenchProcess, sumOf, until, withProcesses } from './bench-process.ts'
import { onClient } from './postgres-cluster.ts'

const lookEveryMs = 20

/** The same rows as the product's, the narrow way. */
const schema = `
  CREATE TABLE recipients (id bigint PRIMARY KEY, batch_id bigint, standing text, attempts integer DEFAULT 0,
    due_at bigint, number text, variables text) WITH (fillfactor = 70);
  CREATE INDEX due ON recipients (id) WHERE standing = 'queued';
  CREATE TABLE open_attempts (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, number text UNIQUE,
    recipient_id bigint, status text, call_id text, dialed_at bigint) WITH (fillfactor = 50);
  CREATE TABLE attempts (id bigint PRIMARY KEY, batch_id bigint, recipient_id bigint, call_id text,
    dialed_at bigint, ended_at bigint, disposition text, cause text);
  CREATE INDEX by_batch ON attempts (batch_id, id);
  CREATE TABLE events (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, type text, at bigint, data text);
  CREATE TABLE progress (queued integer, answered integer) WITH (fillfactor = 20);`

/** Seconds for `calls` life cycles. */
export async function timeBareSql(url: string, calls: number, workers: number): Promise<number> {
  await onClient(url, async client => {
    await client.query(schema)
    await client.query(
      `INSERT INTO recipients SELECT id, 1, 'queued', 0, 0, '+1202' || (5000000 + id), '{"customer_name":"Person"}'
       FROM generate_series(1, $1) AS id`,
      [calls],
    )
    await client.query('INSERT INTO progress VALUES ($1, 0)', [calls])
    await client.query('ANALYZE')
  })
  return withProcesses(
    workers,
    () => new BenchProcess('bare-sql-process.ts', [url]),
    async crew => {
      await Promise.all(crew.map(worker => worker.ask('open')))
      const since = performance.now()
      await Promise.all(crew.map(worker => worker.ask('work')))
      await until(lookEveryMs, async () => (await sumOf(crew, 'handled')) >= calls)
      return (performance.now() - since) / 1_000
    },
  )
}

/** How long each of `count` pairs of commits of one row takes, ms: what must lie between an ending and the next dial. */
export async function timeTwoCommits(url: string, count: number): Promise<number[]> {
  return onClient(url, async client => {
    await client.query('CREATE TABLE notes (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, note text)')
    const insert = { name: 'insert', text: 'INSERT INTO notes (note) VALUES ($1)' }
    const times: number[] = []
    for (let index = 0; index < count; index++) {
      const since = performance.now()
      await client.query({ ...insert, values: ['ended'] })
      await client.query({ ...insert, values: ['dialling'] })
      times.push(performance.now() - since)
    }
    return times
  })
}

/** Commits of one row a second, by so many connections at once. */
export async function commitsPerSecond(url: string, connections: number, forMs: number): Promise<number> {
  const clients = await Promise.all(
    Array.from({ length: connections }, async () => {
      const client = new Client(url)
      await client.connect()
      return client
    }),
  )
  await clients[0]!.query('CREATE TABLE IF NOT EXISTS commits (at bigint)')
  const since = performance.now()
  const counts = await Promise.all(
    clients.map(async client => {
      let commits = 0
      for (; performance.now() - since < forMs; commits++)
        await client.query({ name: 'commit', text: 'INSERT INTO commits VALUES ($1)', values: [commits] })
      return commits
    }),
  )
  const seconds = (performance.now() - since) / 1_000
  await Promise.all(clients.map(client => client.end()))
  return counts.reduce((sum, each) => sum + each, 0) / seconds
}
