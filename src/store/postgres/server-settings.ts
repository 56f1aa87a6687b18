// What a PostgreSQL server must be to hold calls: a dial that the database forgets is dialled again.
import { Client } from 'pg'

/** The oldest that PostgreSQL's own developers still mended when this was written; 13 was the first with `xid8`. */
const oldestVersion = 14

/** @throws an error whose sentence says what to change */
export async function checkServer(client: Client): Promise<void> {
  const { rows } = await client.query<{ version: string; fsync: string; commit: string; standby: boolean }>(
    `SELECT current_setting('server_version_num') AS version, current_setting('fsync') AS fsync,
       current_setting('synchronous_commit') AS commit, pg_is_in_recovery() AS standby`,
  )
  const { version = '0', fsync, commit, standby } = rows[0] ?? {}
  const major = Math.floor(Number(version) / 10_000)
  if (major < oldestVersion)
    throw new Error(`PostgreSQL ${major} is too old: Outdial needs ${oldestVersion} or newer`)
  if (standby) throw new Error('the database is a standby: name the primary')
  if (fsync === 'off') throw unsafe('fsync')
  if (commit === 'off') throw unsafe('synchronous_commit')
}

/** Whoever looks waits no longer. */
const lookTimeoutMs = 10_000

/** The version of a server that can hold calls, as it names it; nothing is changed. @throws as `checkServer`; the network's own errors */
export async function readServerVersion(url: string): Promise<string> {
  const client = new Client({
    connectionString: url,
    application_name: 'outdial',
    connectionTimeoutMillis: lookTimeoutMs,
    query_timeout: lookTimeoutMs,
  })
  client.on('error', () => {})
  await client.connect()
  try {
    await checkServer(client)
    const { rows } = await client.query<{ version: string }>(
      `SELECT current_setting('server_version') AS version`,
    )
    return rows[0]!.version
  } finally {
    await client.end().catch(() => {})
  }
}

const unsafe = (setting: string) =>
  new Error(
    `the database runs with ${setting} = off: it can forget calls that were made, and people would be called twice. Set it to on`,
  )
