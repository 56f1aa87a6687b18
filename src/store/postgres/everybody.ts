// People across batches. Positions have no gaps, so a page is found by counting batches, not people.
import { recipientId } from '../../domain/recipient-id.ts'
import type { Lookups } from '../lookups.ts'
import type { Row } from '../rows.ts'
import type { Connection } from './connection.ts'
import { readRecipients } from './reports.ts'

const owned = `FROM batches WHERE workspace_id = $1 AND status <> 'importing' AND ($2::bigint IS NULL OR agent_id = $2)`

export function everybodyStatements(connection: Connection): Pick<Lookups, 'listEverybody'> {
  return {
    listEverybody: (workspaceId, { agentId = null }, { offset, limit }) =>
      connection.snapshot(async reader => {
        const [count, batches] = await Promise.all([
          reader.row(`SELECT coalesce(sum(accepted), 0)::bigint AS total ${owned}`, [workspaceId, agentId]),
          reader.rows(
            `SELECT * FROM (SELECT id, accepted, (sum(accepted) OVER (ORDER BY id DESC))::bigint AS up_to ${owned}) AS b
             WHERE accepted > 0 AND up_to > $3 ORDER BY id DESC LIMIT $4`,
            [workspaceId, agentId, offset, limit],
          ),
        ])
        const ids: number[] = []
        for (const { id, accepted, up_to: upTo } of batches) {
          const skipped = Math.max(0, offset - (upTo - accepted))
          for (let position = skipped + 1; position <= accepted && ids.length < limit; position++)
            ids.push(recipientId(id, position))
        }
        const recipients = await readRecipients(reader, ids)
        const rankOf = new Map(ids.map((id, rank) => [id, rank]))
        recipients.sort((one, other) => rankOf.get(one.id)! - rankOf.get(other.id)!)
        return { recipients, total: (count as Row).total }
      }),
  }
}
