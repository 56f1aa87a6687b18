// `outdial restore` and `outdial accept-restore`: a backup becomes a data directory, and its server may call again.
import { existsSync } from 'node:fs'
import { type ClientConfig, readConfig } from '../config.ts'
import { RestoreProblem } from '../housekeeping/restore-data-dir.ts'
import { realClock } from '../runtime/clock.ts'
import { DataDirTaken } from '../runtime/data-dir-lock.ts'
import { restoreBackup } from '../store-app.ts'
import { connect } from './api-client.ts'
import { recordingsBeside } from './backup.ts'
import { CommandFailure } from './failure.ts'
import type { OutputOption } from './program.ts'
import type { Terminal } from './terminal.ts'

interface Work {
  batches: number
  people: number
  calling: number
}

interface ApiHold {
  held: boolean
  reason: string | null
  since: string | null
  wouldDial: Work
  lastEventAt: string | null
}

/** What no backup can know. */
const risk =
  'Whoever was called after the last event stands in this store as not called: they would be called again.'

export async function restore(
  file: string,
  options: OutputOption & { dataDir?: string; recordings?: string },
  terminal: Terminal,
): Promise<void> {
  const dataDir = options.dataDir ?? readConfig().dataDir
  const beside = recordingsBeside(file)
  const recordingsDir = options.recordings ?? (existsSync(beside) ? beside : null)
  const { work, backedUpAt, recordings } = await restoreBackup({
    file,
    dataDir,
    recordingsDir,
    now: realClock.now(),
  }).catch(error => {
    if (error instanceof RestoreProblem || error instanceof DataDirTaken)
      throw new CommandFailure('failed', error.message)
    throw error
  })
  const { lastEventAt, ...wouldDial } = work
  const iso = (at: number | null) => (at === null ? null : new Date(at).toISOString())
  const restored = { dataDir, madeAt: iso(backedUpAt), wouldDial, lastEventAt: iso(lastEventAt), recordings }
  if (options.output === 'json') return terminal.print(JSON.stringify(restored))
  terminal.print(`${dataDir} holds the store as of ${restored.madeAt ?? 'a copy of unknown age'}.`)
  for (const line of workLines(wouldDial, restored.lastEventAt)) terminal.print(line)
  terminal.note('Its server will dial nobody until `outdial accept-restore --yes`.')
}

/** Without `--yes` it only shows. */
export async function acceptRestore(
  options: OutputOption & { yes: boolean },
  client: ClientConfig,
  terminal: Terminal,
): Promise<void> {
  const api = connect(client)
  const found = await api.get<ApiHold>('/api/v1/hold')
  const hold = options.yes && found.held ? await api.post<ApiHold>('/api/v1/hold/accept') : found
  if (options.output === 'json') return terminal.print(JSON.stringify(hold))
  if (!found.held) return terminal.print('The store is not held: it calls.')
  const origin = found.reason === 'backup' ? 'came out of a backup made' : 'was copied or moved, noticed'
  terminal.print(`The store ${origin} at ${found.since}.`)
  for (const line of workLines(found.wouldDial, found.lastEventAt)) terminal.print(line)
  if (options.yes) terminal.print('Accepted: calling begins.')
  else terminal.note('Nothing was changed. `outdial accept-restore --yes` lets it call.')
}

function workLines({ batches, people, calling }: Work, lastEventAt: string | null): string[] {
  return [
    `would dial  ${people} people of ${batches} batches`,
    `open calls  ${calling}: they were under way, and end as lost; who had answered is not called again`,
    `last event  ${lastEventAt ?? 'none'}`,
    risk,
  ]
}
