// What a PostgreSQL server must be to hold calls: a dial that the database forgets is dialled again.
import { Client } from 'pg'
import { clientConfig } from './connection.ts'

/** The oldest that PostgreSQL's own developers still mended when this was written; 13 was the first with `xid8`. */
const oldestVersion = 14

interface Settings {
  number: string
  version: string
  fsync: string
  commit: string
  standby: boolean
}

/** Its version, as it names it. @throws an error whose sentence says what to change */
export async function checkServer(client: Client): Promise<string> {
  const { rows } = await client.query<Settings>(
    `SELECT current_setting('server_version_num') AS number, current_setting('server_version') AS version,
       current_setting('fsync') AS fsync, current_setting('synchronous_commit') AS commit, pg_is_in_recovery() AS standby`,
  )
  const { number, version, fsync, commit, standby } = rows[0]!
  const major = Math.floor(Number(number) / 10_000)
  if (major < oldestVersion)
    throw new Error(`PostgreSQL ${major} is too old: Outdial needs ${oldestVersion} or newer`)
  if (standby) throw new Error('the database is a standby: name the primary')
  if (fsync === 'off') throw unsafe('fsync')
  if (commit === 'off') throw unsafe('synchronous_commit')
  return version
}

/** The version of a server that can hold calls; nothing is changed. @throws as `checkServer`; the network's own errors */
export async function readServerVersion(url: string): Promise<string> {
  const client = new Client(clientConfig(url))
  client.on('error', () => {})
  await client.connect()
  try {
    return await checkServer(client)
  } finally {
    await client.end().catch(() => {})
  }
}

const unsafe = (setting: string) =>
  new Error(
    `the database runs with ${setting} = off: it can forget calls that were made, and people would be called twice. Set it to on`,
  )
