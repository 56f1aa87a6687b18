// What a PostgreSQL server must be to hold calls: a dial that the database forgets is dialled again.
import type { Client } from 'pg'

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

const unsafe = (setting: string) =>
  new Error(
    `the database runs with ${setting} = off: it can forget calls that were made, and people would be called twice. Set it to on`,
  )
