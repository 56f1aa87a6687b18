// One server per data directory: the operating system holds the lock, so that it is gone the moment its process is.
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'

/** Who holds a data directory, as it wrote beside its lock; for the error message only. */
export interface LockHolder {
  pid: number
  url: string | null
}

export class DataDirTaken extends Error {
  readonly holder: LockHolder | null

  constructor(dataDir: string, holder: LockHolder | null) {
    const who = holder === null ? 'another process' : `process ${holder.pid}`
    const where = holder?.url ? ` at ${holder.url}` : ''
    super(
      `The data directory ${dataDir} is in use by ${who}: an Outdial server runs on it already${where}. ` +
        'The command line talks to that server (`outdial call …`, `outdial batches list`); ' +
        'a second server needs its own OUTDIAL_DATA_DIR and PORT.',
    )
    this.name = 'DataDirTaken'
    this.holder = holder
  }
}

export interface DataDirLock {
  /** Lets later error messages name the address of this server. */
  announce(url: string): void
  release(): void
}

/**
 * Takes `dataDir` (made if it is not there) for this process.
 *
 * Node has no flock, and a file with a pid in it outlives `kill -9` while pids are given out again. SQLite locks a file
 * through the operating system on every platform, and an open exclusive transaction holds that lock exactly as long as
 * the process lives.
 * @throws DataDirTaken
 */
export function lockDataDir(dataDir: string): DataDirLock {
  mkdirSync(dataDir, { recursive: true })
  const holderPath = join(dataDir, 'server.json')
  const lock = new DatabaseSync(join(dataDir, 'server.lock'))
  try {
    lock.exec('PRAGMA busy_timeout = 0; PRAGMA journal_mode = MEMORY; BEGIN EXCLUSIVE')
  } catch (error) {
    lock.close()
    if (!isBusy(error)) throw error
    throw new DataDirTaken(dataDir, readHolder(holderPath))
  }
  const write = (holder: LockHolder) => writeFileSync(holderPath, `${JSON.stringify(holder)}\n`)
  write({ pid: process.pid, url: null })
  return {
    announce: url => write({ pid: process.pid, url }),
    release() {
      if (!lock.isOpen) return
      rmSync(holderPath, { force: true })
      lock.close()
    },
  }
}

/** SQLite's result code 5, SQLITE_BUSY: somebody else holds the file. */
const sqliteBusy = 5

function isBusy(error: unknown): boolean {
  return ((error as { errcode?: number }).errcode ?? 0) % 256 === sqliteBusy
}

function readHolder(path: string): LockHolder | null {
  try {
    return JSON.parse(readFileSync(path, 'utf8')) as LockHolder
  } catch {
    return null
  }
}
