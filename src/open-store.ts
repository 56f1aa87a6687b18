// A composition root of its own: the store that the configuration names, of either engine.
import { join } from 'node:path'
import type { Config } from './config.ts'
import { type Clock, realClock } from './runtime/clock.ts'
import { SynchronisedClock, type TimeSample } from './runtime/synchronised-clock.ts'
import type { NodeRole } from './store/node-records.ts'
import { openPostgresStore } from './store/postgres/postgres-store.ts'
import { readServerVersion } from './store/postgres/server-settings.ts'
import { openSqliteStore } from './store/sqlite/sqlite-store.ts'
import type { Store } from './store/store.ts'

/** In the data directory. */
export const storeFile = 'outdial.db'

export interface OpenedStore {
  store: Store
  /** No other node can be at work on it. */
  alone: boolean
  /** Follows the store's time where several nodes share it. */
  clock: Clock
  followStoreTime(sample: TimeSample): void
}

/** @throws RoleNeedsDatabase; DatabaseUnusable; what SQLite says of its file */
export async function openStore({ dataDir, databaseUrl, role }: Config): Promise<OpenedStore> {
  if (databaseUrl !== null) return openDatabase(databaseUrl)
  if (role !== 'all') throw new RoleNeedsDatabase(role)
  const store = await openSqliteStore({ path: join(dataDir, storeFile) })
  return { store, alone: true, clock: realClock, followStoreTime() {} }
}

async function openDatabase(url: string): Promise<OpenedStore> {
  const clock = new SynchronisedClock(realClock)
  try {
    const store = await openPostgresStore({ url })
    return { store, alone: false, clock, followStoreTime: sample => void clock.follow(sample) }
  } catch (error) {
    throw new DatabaseUnusable(url, error)
  }
}

/** Whether the database could be opened, without changing it: its version. @throws DatabaseUnusable */
export async function lookAtDatabase(url: string): Promise<string> {
  try {
    return await readServerVersion(url)
  } catch (error) {
    throw new DatabaseUnusable(url, error)
  }
}

/** One process has the embedded store for itself: nobody else could call what this one takes in. */
export class RoleNeedsDatabase extends Error {
  constructor(role: NodeRole) {
    super(
      `Role '${role}' shares its work with other nodes, which takes a PostgreSQL database that all of them reach: set DATABASE_URL, or start with role 'all'.`,
    )
    this.name = 'RoleNeedsDatabase'
  }
}

/** The database cannot be reached, or is none that we can use. Its password is not named. */
export class DatabaseUnusable extends Error {
  constructor(url: string, cause: unknown) {
    const { host, pathname } = new URL(url)
    super(`The database ${pathname.slice(1)} at ${host} cannot be used: ${reasonOf(cause)}.`, { cause })
    this.name = 'DatabaseUnusable'
  }
}

/** Node says nothing where several addresses of one name were tried: then the first one's reason. */
function reasonOf(error: unknown): string {
  if (error instanceof AggregateError && error.message === '') return reasonOf(error.errors[0])
  return error instanceof Error ? error.message : String(error)
}
