// Copies of the store on their way to whoever asked: made one at a time, kept until they are fetched.
import { randomUUID } from 'node:crypto'
import { mkdir, rm, stat } from 'node:fs/promises'
import { basename, join } from 'node:path'
import { Refusal } from '../domain/refusal.ts'
import type { Clock } from '../runtime/clock.ts'
import type { Logger } from '../runtime/logger.ts'
import type { Store } from '../store/store.ts'

export interface Backup {
  id: string
  status: 'copying' | 'ready' | 'failed'
  /** Why it failed, where that is more than a defect; null otherwise. */
  failure: string | null
  startedAt: number
  /** Written so far. */
  bytes: number
  /** About how many it will be. */
  expectedBytes: number
}

export interface BackupsDeps {
  store: Store
  clock: Clock
  logger: Logger
  /** For copies alone: emptied with each new one. */
  dir: string
  recordingsDir: string
}

export class Backups {
  readonly #deps: BackupsDeps
  #latest: Omit<Backup, 'bytes'> | null = null
  #isStarting = false
  #copying: Promise<void> = Promise.resolve()

  constructor(deps: BackupsDeps) {
    this.#deps = deps
  }

  /** The one before goes away. Refusal `backup_under_way` (conflict). */
  async start(): Promise<Backup> {
    const { store, clock, dir } = this.#deps
    if (this.#isStarting || this.#latest?.status === 'copying')
      throw new Refusal('conflict', 'backup_under_way', 'A backup is being made: wait for its end.')
    this.#isStarting = true
    try {
      await this.clear()
      await mkdir(dir, { recursive: true, mode: 0o700 })
      const expectedBytes = await store.sizeBytes()
      const startedAt = clock.now()
      this.#latest = { id: randomUUID(), status: 'copying', failure: null, startedAt, expectedBytes }
    } finally {
      this.#isStarting = false
    }
    this.#copying = this.#copy(this.#latest)
    return this.find(this.#latest.id)
  }

  /** Refusal `backup_not_found`. */
  async find(id: string): Promise<Backup> {
    const backup = this.#latest
    if (backup?.id !== id) throw notFound()
    const { size } = await stat(this.#path(id)).catch(() => ({ size: 0 }))
    return { ...backup, bytes: size }
  }

  /** Refusals `backup_not_found`, `backup_not_ready` (conflict). */
  async open(id: string): Promise<{ path: string; bytes: number }> {
    const { status, bytes } = await this.find(id)
    if (status !== 'ready') throw new Refusal('conflict', 'backup_not_ready', `This backup is ${status}.`)
    return { path: this.#path(id), bytes }
  }

  /** A recording by its name. Refusal `recording_not_found`. */
  async openRecording(file: string): Promise<{ path: string; bytes: number }> {
    const path = join(this.#deps.recordingsDir, basename(file))
    const found = file === basename(file) ? await stat(path).catch(() => null) : null
    if (found?.isFile() !== true)
      throw new Refusal('not-found', 'recording_not_found', 'There is no such recording.')
    return { path, bytes: found.size }
  }

  async remove(id: string): Promise<void> {
    const { status } = await this.find(id)
    if (status === 'copying') throw new Refusal('conflict', 'backup_not_ready', 'This backup is being made.')
    this.#latest = null
    await rm(this.#path(id), { force: true })
  }

  /** What a crash left, or nobody fetched. */
  async clear(): Promise<void> {
    this.#latest = null
    await rm(this.#deps.dir, { recursive: true, force: true })
  }

  /** Waits for a copy that is being made: SQLite does not let go of one half-way. */
  async close(): Promise<void> {
    await this.#copying
    await this.clear()
  }

  async #copy(backup: Omit<Backup, 'bytes'>): Promise<void> {
    const { store, clock, logger } = this.#deps
    try {
      await store.backUp(this.#path(backup.id))
      backup.status = 'ready'
      logger.info({ tookMs: clock.now() - backup.startedAt }, 'a backup was made')
    } catch (error) {
      backup.status = 'failed'
      if (error instanceof Refusal) backup.failure = error.message
      logger.error({ err: error }, 'a backup failed')
    }
  }

  #path(id: string): string {
    return join(this.#deps.dir, `${id}.db`)
  }
}

const notFound = () => new Refusal('not-found', 'backup_not_found', 'There is no such backup.')
