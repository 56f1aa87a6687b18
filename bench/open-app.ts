// The whole product in the benchmark's own process, on a data directory of its own: listening, calling, on disk.
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type App, startApp } from '../src/app.ts'
import { readConfig } from '../src/config.ts'
import { silentLogger } from '../src/runtime/logger.ts'

export const apiKey = 'bench-0123456789-abcdefgh'

/** Opens the product in a new folder, and clears everything away after `work`. */
export async function withApp<T>(work: (app: App) => Promise<T>): Promise<T> {
  return withFolder(async folder => {
    const config = readConfig({ PORT: '0', OUTDIAL_DATA_DIR: join(folder, 'data'), OUTDIAL_API_KEY: apiKey })
    const app = await startApp(config, silentLogger)
    try {
      return await work(app)
    } finally {
      await app.stop(0)
    }
  })
}

export async function withFolder<T>(work: (folder: string) => Promise<T>): Promise<T> {
  const folder = await mkdtemp(join(tmpdir(), 'outdial-bench-'))
  try {
    return await work(folder)
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}
