// `outdial batches export`: everybody of a batch as CSV on stdout, streamed as the server makes it.
import type { ClientConfig } from '../config.ts'
import { liveStandings, standings } from '../domain/recipient.ts'
import { connect } from './api-client.ts'
import { batchPath } from './batches.ts'
import type { Terminal } from './terminal.ts'

type Filter = 'all' | 'reached' | 'unreached'

/** A person or their voicemail took the call. */
const reached: readonly string[] = ['answered', 'voicemail']

export async function exportBatch(
  id: string,
  { filter }: { filter: Filter },
  client: ClientConfig,
  terminal: Terminal,
): Promise<void> {
  const query = filter === 'all' ? {} : { standing: standingsOf(filter).join(',') }
  for await (const chunk of connect(client).download(`${batchPath(id)}/export`, { query })) {
    await terminal.write(chunk)
  }
}

function standingsOf(filter: Exclude<Filter, 'all'>): string[] {
  if (filter === 'reached') return [...reached]
  return standings.filter(standing => !reached.includes(standing) && !liveStandings.has(standing))
}
