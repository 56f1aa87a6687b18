// `outdial backup`: the running server copies its store, and the copy is fetched into a file here.
import { once } from 'node:events'
import { createWriteStream } from 'node:fs'
import { access, mkdir, open, rename, rm, stat } from 'node:fs/promises'
import { basename, join } from 'node:path'
import type { ClientConfig } from '../config.ts'
import { realClock } from '../runtime/clock.ts'
import { waitFor } from '../runtime/wait.ts'
import { type ApiClient, connect } from './api-client.ts'
import { CommandFailure } from './failure.ts'
import type { OutputOption } from './program.ts'
import type { Terminal } from './terminal.ts'

interface ApiBackup {
  id: string
  status: 'copying' | 'ready' | 'failed'
  failure: string | null
  startedAt: string
  bytes: number
  expectedBytes: number
}

const askAgainMs = 250
const bytesPerMegabyte = 1e6

/** Where the recordings of a backup lie. */
export const recordingsBeside = (file: string): string => `${file}-recordings`

export async function backup(
  file: string,
  options: OutputOption & { recordings: boolean },
  client: ClientConfig,
  terminal: Terminal,
): Promise<void> {
  if (
    await access(file).then(
      () => true,
      () => false,
    )
  )
    throw new CommandFailure('usage', `${file} is there already: a backup goes into a new file.`)
  const api = connect(client)
  const { id } = await api.post<ApiBackup>('/api/v1/backups')
  const made = await untilMade(api, id, terminal)
  await fetchInto(api, `/api/v1/backups/${id}/file`, file, bytes =>
    showProgress('fetched', bytes, made.bytes, terminal),
  )
  await api.delete(`/api/v1/backups/${id}`)
  const recordings = options.recordings ? await fetchRecordings(api, recordingsBeside(file), terminal) : 0
  const { size } = await stat(file)
  if (terminal.isLive) terminal.redraw('')
  if (options.output === 'json')
    return terminal.print(JSON.stringify({ file, bytes: size, madeAt: made.startedAt, recordings }))
  const also = options.recordings ? `, ${recordings} recordings in ${recordingsBeside(file)}` : ''
  terminal.print(`${file}: ${megabytes(size)} MB as of ${made.startedAt}${also}`)
}

async function untilMade(api: ApiClient, id: string, terminal: Terminal): Promise<ApiBackup> {
  for (;;) {
    const backup = await api.get<ApiBackup>(`/api/v1/backups/${id}`)
    if (backup.status === 'ready') return backup
    if (backup.status === 'failed')
      throw new CommandFailure(
        'failed',
        backup.failure ?? 'The server could not make the backup; its log says why.',
      )
    showProgress('copied', backup.bytes, backup.expectedBytes, terminal)
    await waitFor(realClock, askAgainMs)
  }
}

/** Beside the file first, so that a half one never bears its name. */
async function fetchInto(
  api: ApiClient,
  path: string,
  file: string,
  onBytes: (bytes: number) => void,
): Promise<void> {
  const partial = `${file}.partial`
  try {
    const out = createWriteStream(partial, { mode: 0o600 })
    let bytes = 0
    for await (const chunk of api.download(path)) {
      bytes += chunk.length
      if (!out.write(chunk)) await once(out, 'drain')
      onBytes(bytes)
    }
    out.end()
    await once(out, 'finish')
    const handle = await open(partial, 'r+')
    await handle.sync()
    await handle.close()
    await rename(partial, file)
  } catch (error) {
    await rm(partial, { force: true })
    throw error
  }
}

/** Those that are there already are not fetched again. */
async function fetchRecordings(api: ApiClient, folder: string, terminal: Terminal): Promise<number> {
  await mkdir(folder, { recursive: true })
  let count = 0
  for await (const { file } of api.all<{ file: string }>('/api/v1/backups/recordings')) {
    const target = join(folder, basename(file))
    const isThere = await access(target).then(
      () => true,
      () => false,
    )
    if (isThere || (await fetchRecording(api, file, target))) count++
    if (terminal.isLive) terminal.redraw(`recordings  ${count}`)
  }
  return count
}

/** False: it has been removed since it was listed. */
async function fetchRecording(api: ApiClient, file: string, target: string): Promise<boolean> {
  try {
    await fetchInto(api, `/api/v1/backups/recordings/${encodeURIComponent(file)}`, target, () => {})
    return true
  } catch (error) {
    if (error instanceof CommandFailure && error.reason === 'refused') return false
    throw error
  }
}

function showProgress(verb: string, bytes: number, expected: number, terminal: Terminal): void {
  if (terminal.isLive) terminal.redraw(`${verb}  ${megabytes(bytes)} of ${megabytes(expected)} MB`)
}

const megabytes = (bytes: number) => (bytes / bytesPerMegabyte).toFixed(1)
