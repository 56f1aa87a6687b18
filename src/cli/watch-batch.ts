// Staying with a batch until it has ended: asks the server again and again and shows how far it is.
import { realClock } from '../runtime/clock.ts'
import { waitFor } from '../runtime/wait.ts'
import type { ApiClient } from './api-client.ts'
import { CommandFailure } from './failure.ts'
import { progressView } from './progress-bar.ts'
import type { Terminal } from './terminal.ts'

/** What the command line reads of a batch; the server's answer has more. */
export interface ApiBatch {
  id: number
  name: string
  status: string
  statusReason: string | null
  totalRecipients: number
  createdAt: string
  startedAt: string | null
  completedAt: string | null
}

export interface ApiReport {
  status: string
  statusReason: string | null
  totalRecipients: number
  ingest: { rows: number; accepted: number; invalid: number; duplicate: number; suppressed: number }
  counts: Record<string, number>
  attempts: number
  averageTalkSeconds: number
  costCents: number
  /** Why nobody is called although somebody is due, and until when. */
  heldBy: string | null
  heldUntil: string | null
}

/** Often enough to look alive, seldom enough to cost the server nothing. */
const pollIntervalMs = 400
const endStatuses: ReadonlySet<string> = new Set(['completed', 'cancelled', 'failed'])

/**
 * Resolves with the last report once the batch has ended; Ctrl-C ends the watching, not the batch.
 * @throws CommandFailure `interrupted`, or `failed` when the batch was cancelled or failed
 */
export async function watchBatch(api: ApiClient, batch: ApiBatch, terminal: Terminal): Promise<ApiReport> {
  const interrupt = new AbortController()
  const onSignal = () => interrupt.abort()
  process.once('SIGINT', onSignal)
  try {
    const report = await follow(api, batch, terminal, interrupt.signal)
    if (report.status === 'completed') return report
    const reason = report.statusReason === null ? '' : ` (${report.statusReason})`
    throw new CommandFailure('failed', `Batch ${batch.id} ended as ${report.status}${reason}.`)
  } finally {
    process.removeListener('SIGINT', onSignal)
  }
}

/** Shows the progress until the batch has ended, however it ended. */
export async function follow(
  api: ApiClient,
  batch: ApiBatch,
  terminal: Terminal,
  signal: AbortSignal,
): Promise<ApiReport> {
  const view = progressView(terminal)
  try {
    for (;;) {
      const report = await api.get<ApiReport>(`/api/v1/batches/${batch.id}/report`, { signal })
      const { status, totalRecipients: total, counts } = report
      view.show({ name: `Batch ${batch.id}`, status, total, counts })
      if (endStatuses.has(status)) return report
      await waitFor(realClock, pollIntervalMs, signal)
      if (signal.aborted)
        throw new CommandFailure('interrupted', `Batch ${batch.id} goes on without being watched.`)
    }
  } finally {
    view.end()
  }
}
