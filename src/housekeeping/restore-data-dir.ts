// A backup file, and the recordings beside it, become a data directory. Nothing that is there already is touched.
import { constants, copyFile, mkdir, open, readdir, rename, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { lockDataDir } from '../runtime/data-dir-lock.ts'
import type { HeldWork } from '../store/housekeeping-store.ts'

export interface RestoreRequest {
  file: string
  /** Must be empty, or not there. */
  dataDir: string
  /** Folder of recordings; null: none are brought. */
  recordingsDir: string | null
  storeFile: string
  now: number
}

export interface RestoredDir {
  work: HeldWork
  backedUpAt: number | null
  recordings: number
}

type RestoreStore = (path: string, now: number) => Omit<RestoredDir, 'recordings'>

/** The request cannot be carried out; the sentence says why. */
export class RestoreProblem extends Error {}

/** What the lock of a server that ran here leaves behind. */
const lockFiles = new Set(['server.lock', 'server.json'])

/** @throws RestoreProblem; DataDirTaken */
export async function restoreDataDir(request: RestoreRequest, restore: RestoreStore): Promise<RestoredDir> {
  const { file, dataDir, recordingsDir, storeFile, now } = request
  await mkdir(dataDir, { recursive: true })
  const lock = lockDataDir(dataDir)
  const target = join(dataDir, storeFile)
  const unfinished = `${target}.restoring`
  try {
    const there = (await readdir(dataDir)).filter(name => !lockFiles.has(name))
    if (there.length > 0)
      throw new RestoreProblem(
        `${dataDir} is not empty (${there[0]}): a restore goes into an empty directory.`,
      )
    const store = await bring(file, unfinished, now, restore)
    const recordings = recordingsDir === null ? 0 : await bringRecordings(recordingsDir, dataDir)
    await flush(unfinished)
    await rename(unfinished, target)
    return { ...store, recordings }
  } finally {
    await rm(unfinished, { force: true })
    lock.release()
  }
}

async function bring(file: string, to: string, now: number, restore: RestoreStore) {
  try {
    await copyFile(file, to, constants.COPYFILE_EXCL)
    return restore(to, now)
  } catch (error) {
    throw new RestoreProblem(`${file} cannot be restored: ${(error as Error).message}`, { cause: error })
  }
}

async function bringRecordings(from: string, dataDir: string): Promise<number> {
  const to = join(dataDir, 'recordings')
  await mkdir(to)
  try {
    const names = (await readdir(from)).filter(name => name.endsWith('.wav'))
    for (const name of names) await copyFile(join(from, name), join(to, name))
    return names.length
  } catch (error) {
    await rm(to, { recursive: true, force: true })
    throw new RestoreProblem(`the recordings in ${from} cannot be restored: ${(error as Error).message}`, {
      cause: error,
    })
  }
}

async function flush(path: string): Promise<void> {
  const handle = await open(path, 'r+')
  await handle.sync()
  await handle.close()
}
