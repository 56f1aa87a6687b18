// A trunk that is changed: its new settings hold from the next call on, its limits from the next claim.
import type { Store, TrunkPatch } from '../store.ts'
import type { Connection } from './connection.ts'
import { type Row, toTrunk } from './rows.ts'

const columns: Readonly<Record<keyof TrunkPatch, string>> = {
  name: 'name',
  maxConcurrentCalls: 'max_concurrent_calls',
  callsPerSecond: 'calls_per_second',
  settings: 'settings',
}

export function trunkChanges(connection: Connection): Pick<Store, 'updateTrunk'> {
  const select = connection.prepare('SELECT * FROM trunks WHERE id = ? AND workspace_id = ?')
  return {
    updateTrunk: (workspaceId, trunkId, patch, now) =>
      connection.write(() => {
        if (select.get(trunkId, workspaceId) === undefined) return null
        for (const [field, value] of Object.entries(patch)) {
          const column = columns[field as keyof TrunkPatch]
          const stored = typeof value === 'object' && value !== null ? JSON.stringify(value) : value
          connection
            .prepare(`UPDATE trunks SET ${column} = ? WHERE id = ?`)
            .run(stored as string | number | null, trunkId)
        }
        const data = JSON.stringify({ trunkId, fields: Object.keys(patch) })
        connection.emit(workspaceId, null, 'trunk.updated', now, data)
        connection.workChanged()
        return toTrunk(select.get(trunkId, workspaceId) as Row)
      }),
  }
}
