// People across batches. Positions have no gaps, so a page is found by counting batches, not people.

import type { Recipient } from '../../domain/recipient.ts'
import { recipientId } from '../../domain/recipient-id.ts'
import type { Lookups } from '../lookups.ts'
import { type Row, toAttempt, toRecipient } from '../rows.ts'
import { attemptColumns, endedColumns, joins } from './attempt-pages.ts'
import type { Connection } from './connection.ts'

export function everybodyStatements(connection: Connection): Pick<Lookups, 'listEverybody'> {
  const owned = `FROM batches WHERE workspace_id = ?1 AND status <> 'importing' AND (?2 IS NULL OR agent_id = ?2)`
  const count = connection.prepare(`SELECT coalesce(sum(accepted), 0) AS total ${owned}`)
  const selectBatches = connection.prepare(`SELECT id, accepted ${owned} AND accepted > 0 ORDER BY id DESC`)
  const selectRecipients = connection.prepare('SELECT * FROM recipients WHERE id > ? ORDER BY id LIMIT ?')
  const read = recipientReader(connection)

  return {
    async listEverybody(workspaceId, { agentId }, { offset, limit }) {
      const { total } = count.get(workspaceId, agentId ?? null) as Row
      const recipients: Recipient[] = []
      let skip = offset
      for (const { id, accepted } of selectBatches.iterate(workspaceId, agentId ?? null) as Iterable<Row>) {
        const wanted = Math.min(limit - recipients.length, accepted - skip)
        if (wanted > 0)
          for (const row of selectRecipients.all(recipientId(id, skip), wanted))
            recipients.push(read(workspaceId, row))
        skip = Math.max(0, skip - accepted)
        if (recipients.length === limit) break
      }
      return { recipients, total }
    },
  }
}

/** A recipient with the call that is under way, else the last one. */
export function recipientReader(connection: Connection): (workspaceId: number, row: Row) => Recipient {
  const selectEnded = connection.prepare(`SELECT ${endedColumns} FROM attempts a ${joins} WHERE a.id = ?`)
  const selectOpen = connection.prepare(
    `SELECT ${attemptColumns}, a.status FROM open_attempts a ${joins}
     WHERE a.workspace_id = ? AND a.number = ? AND a.recipient_id = ? AND a.status <> 'claimed'`,
  )
  return (workspaceId, row) => {
    const open = row.standing === 'calling' ? selectOpen.get(workspaceId, row.number, row.id) : undefined
    if (open !== undefined) return toRecipient({ ...row, attempts: row.attempts + 1 }, toAttempt(open))
    const last = row.last_attempt_id === null ? undefined : selectEnded.get(row.last_attempt_id)
    return toRecipient(row, last === undefined ? null : toAttempt(last))
  }
}
