// `outdial retention`: for how many days what calls leave behind is kept.
import type { ClientConfig } from '../config.ts'
import { connect } from './api-client.ts'
import type { OutputOption } from './program.ts'
import type { Terminal } from './terminal.ts'

/** null: for ever. */
type Days = number | null
type AskedDays = number | 'forever'

interface RetentionOptions extends OutputOption {
  recordings?: AskedDays
  transcripts?: AskedDays
  events?: AskedDays
  batches?: AskedDays
}

interface ApiRetention {
  recordingDays: Days
  transcriptDays: Days
  eventDays: Days
  batchDays: Days
}

/** Without an option it only shows. */
export async function retention(
  { output, recordings, transcripts, events, batches }: RetentionOptions,
  client: ClientConfig,
  terminal: Terminal,
): Promise<void> {
  const api = connect(client)
  const asked = {
    recordingDays: daysOf(recordings),
    transcriptDays: daysOf(transcripts),
    eventDays: daysOf(events),
    batchDays: daysOf(batches),
  }
  const isAsked = Object.values(asked).some(days => days !== undefined)
  const { retention: kept } = isAsked
    ? await api.patch<{ retention: ApiRetention }>('/api/v1/workspace', { body: { retention: asked } })
    : await api.get<{ retention: ApiRetention }>('/api/v1/workspace')
  if (output === 'json') return terminal.print(JSON.stringify(kept))
  const words = (days: Days) => (days === null ? 'for ever' : `${days} days`)
  terminal.print(`recordings   ${words(kept.recordingDays)}`)
  terminal.print(`transcripts  ${words(kept.transcriptDays)}`)
  terminal.print(`events       ${words(kept.eventDays)}`)
  terminal.print(`batches      ${words(kept.batchDays)} after they have ended`)
}

const daysOf = (asked: AskedDays | undefined): Days | undefined => (asked === 'forever' ? null : asked)
