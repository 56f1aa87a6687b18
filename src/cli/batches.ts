// `outdial batches`: which there are, where one stands, and start, pause, resume and cancel.
import type { ClientConfig } from '../config.ts'
import { connect } from './api-client.ts'
import { CommandFailure } from './failure.ts'
import type { BatchMove, OutputOption } from './program.ts'
import { countWords } from './progress-bar.ts'
import type { Terminal } from './terminal.ts'
import { textTable } from './text-table.ts'
import { type ApiBatch, type ApiReport, watchBatch } from './watch-batch.ts'

/** With `-o json` one batch a line. */
export async function listBatches(
  options: OutputOption & { status?: string; limit: number },
  client: ClientConfig,
  terminal: Terminal,
): Promise<void> {
  const batches: ApiBatch[] = []
  for await (const batch of connect(client).all<ApiBatch>('/api/v1/batches', { status: options.status })) {
    if (batches.length === options.limit) break
    batches.push(batch)
  }
  if (options.output === 'json') {
    for (const batch of batches) terminal.print(JSON.stringify(batch))
    return
  }
  if (batches.length === 0) terminal.note('No batches.')
  const lines = textTable(batches, [
    { title: 'id', cell: ({ id }) => String(id), align: 'right' },
    { title: 'status', cell: ({ status }) => status },
    { title: 'people', cell: ({ totalRecipients }) => String(totalRecipients), align: 'right' },
    { title: 'created', cell: ({ createdAt }) => shortTime(createdAt) },
    { title: 'name', cell: ({ name }) => name },
  ])
  for (const line of lines) terminal.print(line)
}

export async function showBatch(
  id: string,
  options: OutputOption & { watch: boolean },
  client: ClientConfig,
  terminal: Terminal,
): Promise<void> {
  const api = connect(client)
  const batch = await api.get<ApiBatch>(batchPath(id))
  const report = options.watch
    ? await watchBatch(api, batch, terminal)
    : await api.get<ApiReport>(`${batchPath(id)}/report`)
  if (options.watch) return printBatch(await api.get<ApiBatch>(batchPath(id)), report, options, terminal)
  printBatch(batch, report, options, terminal)
}

export async function moveBatch(
  move: BatchMove,
  id: string,
  options: OutputOption,
  client: ClientConfig,
  terminal: Terminal,
): Promise<void> {
  const batch = await connect(client).post<ApiBatch>(`${batchPath(id)}/${move}`)
  terminal.print(options.output === 'json' ? JSON.stringify(batch) : `Batch ${batch.id}: ${batch.status}`)
}

/** A batch with its figures, as text or as one JSON document. */
export function printBatch(
  batch: ApiBatch,
  report: ApiReport,
  { output }: OutputOption,
  terminal: Terminal,
): void {
  if (output === 'json') {
    terminal.print(JSON.stringify({ ...batch, report }))
    return
  }
  for (const line of batchLines(batch, report)) terminal.print(line)
}

/** `ended` and what the calls cost, below the name: what a person asks first stands first. */
function batchLines(batch: ApiBatch, report: ApiReport): string[] {
  const { ingest, counts, attempts, averageTalkSeconds, costCents } = report
  const reason = report.statusReason === null ? '' : ` (${report.statusReason})`
  const held =
    report.heldBy === null ? '' : `, no number may call before ${report.heldUntil} (${report.heldBy})`
  const leftOut = ingest.rows - ingest.accepted
  const from =
    leftOut === 0
      ? ''
      : ` of ${ingest.rows} rows (invalid ${ingest.invalid}, duplicate ${ingest.duplicate}, suppressed ${ingest.suppressed})`
  const queued = counts.queued ? `queued ${counts.queued}` : ''
  const standing = [queued, countWords(counts)].filter(words => words !== '').join(' · ')
  return [
    `Batch ${batch.id}  ${batch.name}`,
    `status   ${report.status}${reason}${held}`,
    `people   ${report.totalRecipients}${from}`,
    `now      ${standing}`,
    `calls    ${attempts}, ${averageTalkSeconds} s of talk on average, $${(costCents / 100).toFixed(2)}`,
  ]
}

/** Reading ids here keeps a typing error from becoming another path of the API. */
export function batchPath(id: string): string {
  if (!/^\d{1,15}$/.test(id)) throw new CommandFailure('usage', `A batch id is a number, not "${id}".`)
  return `/api/v1/batches/${id}`
}

/** `2026-11-23T15:50:12.123Z` → `2026-11-23 15:50:12` (UTC). */
function shortTime(iso: string): string {
  return iso.slice(0, 19).replace('T', ' ')
}
