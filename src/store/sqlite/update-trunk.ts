// A trunk that is changed: its new settings hold from the next call on, its limits from the next claim.

import { type Row, toTrunk } from '../rows.ts'
import type { Store } from '../store.ts'
import { trunkColumns } from '../trunk-columns.ts'
import type { Connection } from './connection.ts'

export function trunkChanges(connection: Connection): Pick<Store, 'updateTrunk'> {
  const select = connection.prepare('SELECT * FROM trunks WHERE id = ? AND workspace_id = ?')
  return {
    updateTrunk: (workspaceId, trunkId, patch, now) =>
      connection.write(() => {
        if (select.get(trunkId, workspaceId) === undefined) return null
        for (const { column, value } of trunkColumns(patch))
          connection.prepare(`UPDATE trunks SET ${column} = ? WHERE id = ?`).run(value, trunkId)
        const data = JSON.stringify({ trunkId, fields: Object.keys(patch) })
        connection.emit(workspaceId, null, 'trunk.updated', now, data)
        connection.workChanged()
        return toTrunk(select.get(trunkId, workspaceId) as Row)
      }),
  }
}
