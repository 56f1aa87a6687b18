// The outbox in pages: each looks at a bounded stretch, and none beyond what is settled (see outbox.ts).
import { toEvent } from '../rows.ts'
import type { WebhookStore } from '../webhook-records.ts'
import { columns } from './columns.ts'
import type { Connection } from './connection.ts'
import { lastSettled } from './outbox.ts'
import type { Reader } from './transaction.ts'

/** Ids that one page looks at, at most. */
const maxScannedEvents = 10_000

export function outboxStatements(connection: Connection): Pick<WebhookStore, 'readOutbox' | 'outboxHead'> {
  return {
    async readOutbox({ workspaceId, batchId, types }, { after, limit }) {
      const { head, isCut } = await headOf(connection)
      const row = await connection.row('SELECT id FROM events WHERE id > $1 ORDER BY id LIMIT 1', [after])
      const first: number = row?.id ?? Number.POSITIVE_INFINITY
      if (first > head) {
        if (isCut) connection.tellEventsSoon()
        return { events: [], position: after, atEnd: true }
      }
      const last = Math.min(head, first + maxScannedEvents - 1)
      const rows = await connection.rows(
        `SELECT ${columns('events')} FROM events WHERE id BETWEEN $1 AND $2
           AND ($3::bigint IS NULL OR workspace_id = $3) AND ($4::bigint IS NULL OR batch_id = $4)
           AND ($5::text[] IS NULL OR type = ANY ($5::text[])) ORDER BY id LIMIT $6`,
        [first, last, workspaceId, batchId ?? null, types ?? null, limit],
      )
      const events = rows.map(toEvent)
      const position = events.length === limit ? (events.at(-1)?.id ?? last) : last
      if (position === head && isCut) connection.tellEventsSoon()
      return { events, position, atEnd: position === head }
    },

    outboxHead: async () => (await headOf(connection)).head,
  }
}

/** The newest event that a page may show, 0: there is none; `isCut`: newer ones are committed already. */
export async function headOf(reader: Reader): Promise<{ head: number; isCut: boolean }> {
  const settled = await lastSettled(reader)
  const row = await reader.row('SELECT max(id) AS newest FROM events')
  const newest: number = row?.newest ?? 0
  return { head: Math.min(settled, newest), isCut: newest > settled }
}
