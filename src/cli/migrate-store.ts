// `outdial migrate-store`: the store of a data directory moves into PostgreSQL, while no server runs on either.
import { readConfig } from '../config.ts'
import { realClock } from '../runtime/clock.ts'
import { DataDirTaken } from '../runtime/data-dir-lock.ts'
import { MoveProblem } from '../store/store-tables.ts'
import { moveStore } from '../store-app.ts'
import { CommandFailure } from './failure.ts'
import type { OutputOption } from './program.ts'
import type { Terminal } from './terminal.ts'

export async function migrateStore(
  options: OutputOption & { from?: string; to?: string },
  terminal: Terminal,
): Promise<void> {
  const config = readConfig()
  const dataDir = options.from ?? config.dataDir
  const url = options.to ?? config.databaseUrl
  if (url === null) throw new CommandFailure('usage', 'Where to? Give --to URL or set DATABASE_URL.')
  const rows = await moveStore({
    dataDir,
    url,
    now: realClock.now(),
    onProgress({ table, rows, of }) {
      if (terminal.isLive) terminal.redraw(`${table}  ${rows} of ${of}`)
      else if (rows === of) terminal.note(`${table}: ${rows}`)
    },
  }).catch(error => {
    throw new CommandFailure('failed', `Nothing was moved: ${reasonOf(error)}.`)
  })
  if (terminal.isLive) terminal.redraw('')
  if (options.output === 'json') return terminal.print(JSON.stringify({ from: dataDir, rows }))
  terminal.print(`${rows} rows moved; every counter equals a count of them.`)
  terminal.note(
    `Start the nodes with DATABASE_URL: they dial nobody until \`outdial accept-restore --yes\`. The store in ${dataDir} ` +
      'is held as well. Recordings stay where they are: OUTDIAL_RECORDINGS_DIR tells the nodes.',
  )
}

function reasonOf(error: unknown): string {
  if (error instanceof MoveProblem || error instanceof DataDirTaken) return error.message.replace(/\.$/, '')
  // A database's own error may name its address, never its password.
  return `the database says: ${(error as Error).message || (error as { code?: string }).code}`
}
