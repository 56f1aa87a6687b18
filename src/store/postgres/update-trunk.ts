// A trunk that is changed: its new settings hold from the next call on, its limits from the next claim.
import { toTrunk } from '../rows.ts'
import type { Store } from '../store.ts'
import { trunkColumns } from '../trunk-columns.ts'
import { columns } from './columns.ts'
import type { Connection } from './connection.ts'
import { lockWorkspace } from './locks.ts'

export function trunkChanges(connection: Connection): Pick<Store, 'updateTrunk'> {
  return {
    updateTrunk: (workspaceId, trunkId, patch, now) =>
      connection.write(async tx => {
        await lockWorkspace(tx, workspaceId)
        const select = `SELECT ${columns('trunks')} FROM trunks WHERE id = $1 AND workspace_id = $2`
        if ((await tx.row(select, [trunkId, workspaceId])) === undefined) return null
        for (const { column, value } of trunkColumns(patch))
          await tx.change(`UPDATE trunks SET ${column} = $2 WHERE id = $1`, [trunkId, value])
        const data = JSON.stringify({ trunkId, fields: Object.keys(patch) })
        tx.emit(workspaceId, null, 'trunk.updated', now, data)
        tx.workChanged()
        return toTrunk((await tx.row(select, [trunkId, workspaceId]))!)
      }),
  }
}
