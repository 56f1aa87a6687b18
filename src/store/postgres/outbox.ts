// The outbox in pages: each looks at a bounded stretch, and none beyond the oldest transaction under way (see listEvents).
import { toEvent } from '../rows.ts'
import type { WebhookStore } from '../webhook-records.ts'
import { columns } from './columns.ts'
import type { Connection } from './connection.ts'
import type { Reader } from './transaction.ts'

/** Ids that one page looks at, at most. */
const maxScannedEvents = 10_000
const settled = 'xact < pg_snapshot_xmin(pg_current_snapshot())'

export function outboxStatements(connection: Connection): Pick<WebhookStore, 'readOutbox' | 'outboxHead'> {
  return {
    readOutbox: ({ workspaceId, batchId, types }, { after, limit }) =>
      connection.snapshot(async reader => {
        const first = (await reader.row('SELECT id FROM events WHERE id > $1 ORDER BY id LIMIT 1', [after]))
          ?.id
        const head = await headOf(reader)
        if (first === undefined || first > head) return { events: [], position: after, atEnd: true }
        const last = Math.min(head, first + maxScannedEvents - 1)
        const rows = await reader.rows(
          `SELECT ${columns('events')} FROM events WHERE id BETWEEN $1 AND $2 AND ${settled}
             AND ($3::bigint IS NULL OR workspace_id = $3) AND ($4::bigint IS NULL OR batch_id = $4)
             AND ($5::text[] IS NULL OR type = ANY ($5::text[])) ORDER BY id LIMIT $6`,
          [first, last, workspaceId, batchId ?? null, types ?? null, limit],
        )
        const events = rows.map(toEvent)
        const position = events.length === limit ? (events.at(-1)?.id ?? last) : last
        return { events, position, atEnd: position === head }
      }),

    outboxHead: () => headOf(connection),
  }
}

/** The newest event that a page may show; 0: there is none. */
export async function headOf(reader: Reader): Promise<number> {
  const row = await reader.row(`SELECT id FROM events WHERE ${settled} ORDER BY id DESC LIMIT 1`)
  return row?.id ?? 0
}
