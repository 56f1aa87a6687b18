// The outbox in pages: each looks at a bounded stretch, so that a filter that nothing passes holds nobody up.

import { type Row, toEvent } from '../rows.ts'
import type { WebhookStore } from '../webhook-records.ts'
import type { Connection } from './connection.ts'

/** Events that one page looks at, at most: about 5 ms. */
const maxScannedEvents = 10_000

export function outboxStatements(connection: Connection): Pick<WebhookStore, 'readOutbox' | 'outboxHead'> {
  const ends = connection.prepare(
    'SELECT (SELECT min(id) FROM events WHERE id > ?) AS first, (SELECT max(id) FROM events) AS head',
  )
  const select = connection.prepare(
    `SELECT * FROM events WHERE id BETWEEN ?1 AND ?2 AND (?3 IS NULL OR workspace_id = ?3)
       AND (?4 IS NULL OR batch_id = ?4) AND (?5 IS NULL OR type IN (SELECT value FROM json_each(?5)))
     ORDER BY id LIMIT ?6`,
  )

  return {
    async readOutbox({ workspaceId, batchId, types }, { after, limit }) {
      const { first, head } = ends.get(after) as { first: number | null; head: number | null }
      if (first === null || head === null) return { events: [], position: after, atEnd: true }
      const last = Math.min(head, first + maxScannedEvents - 1)
      const wanted = types === undefined ? null : JSON.stringify(types)
      const events = select
        .all(first, last, workspaceId, batchId ?? null, wanted, limit)
        .map(row => toEvent(row))
      const position = events.length === limit ? (events.at(-1)?.id ?? last) : last
      return { events, position, atEnd: position === head }
    },

    outboxHead: async () => headOf(connection),
  }
}

/** The newest event's id; 0: nothing has happened yet. */
export function headOf(connection: Connection): number {
  const row = connection.prepare('SELECT max(id) AS head FROM events').get() as Row
  return row.head ?? 0
}
