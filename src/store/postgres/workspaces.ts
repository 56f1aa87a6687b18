// Workspaces, API keys and suppressions.
import type { ApiKey, Suppression, Workspace } from '../../domain/workspace.ts'
import { defaultMaxConcurrentCalls } from '../limits.ts'
import { workspaceNotFound } from '../refusals.ts'
import { type Row, toWorkspace } from '../rows.ts'
import type { Store, WorkspacePatch } from '../store.ts'
import { columns } from './columns.ts'
import type { Connection } from './connection.ts'
import { saveAnswer } from './idempotency.ts'
import { lockWorkspace } from './locks.ts'
import { suppressWaiting } from './moves.ts'
import type { Reader, Transaction } from './transaction.ts'

type Family = Pick<
  Store,
  | 'createWorkspace'
  | 'firstWorkspace'
  | 'listWorkspaces'
  | 'getWorkspace'
  | 'updateWorkspace'
  | 'setWorkspaceStopped'
  | 'createApiKey'
  | 'findApiKey'
  | 'suppress'
  | 'unsuppress'
  | 'listSuppressions'
>

/** No workspace's id: its lock is held while there is none. */
const noWorkspace = 0

const patchColumns: Record<keyof WorkspacePatch, string> = {
  name: 'name',
  defaultRegion: 'default_region',
  destinations: 'destinations',
  maxConcurrentCalls: 'max_concurrent_calls',
  creditMillicents: 'credit_millicents',
  window: 'calling_window',
  retention: 'retention',
}

export function workspaceStatements(connection: Connection): Family {
  return {
    createWorkspace: (name, now) => connection.write(tx => create(tx, name, now)),

    firstWorkspace: (name, now) =>
      connection.write(async tx => {
        await lockWorkspace(tx, noWorkspace)
        const first = await tx.row(`SELECT ${columns('workspaces')} FROM workspaces ORDER BY id LIMIT 1`)
        return first === undefined
          ? { workspace: await create(tx, name, now), isNew: true }
          : { workspace: toWorkspace(first), isNew: false }
      }),

    listWorkspaces: async () =>
      (await connection.rows(`SELECT ${columns('workspaces')} FROM workspaces ORDER BY id`)).map(toWorkspace),

    getWorkspace: id => readWorkspace(connection, id),

    updateWorkspace: (id, patch, now) =>
      connection.write(async tx => {
        await lockWorkspace(tx, id)
        for (const [field, value] of Object.entries(patch)) {
          const column = patchColumns[field as keyof WorkspacePatch]
          const stored = value !== null && typeof value === 'object' ? JSON.stringify(value) : (value ?? null)
          await tx.change(`UPDATE workspaces SET ${column} = $2, updated_at = $3 WHERE id = $1`, [
            id,
            stored,
            now,
          ])
        }
        tx.emit(id, null, 'workspace.updated', now, JSON.stringify({ fields: Object.keys(patch) }))
        tx.workChanged()
        return existing(tx, id)
      }),

    setWorkspaceStopped: (id, stopped, now) =>
      connection.write(async tx => {
        await lockWorkspace(tx, id)
        await tx.change('UPDATE workspaces SET stopped = $2, updated_at = $3 WHERE id = $1', [
          id,
          stopped,
          now,
        ])
        tx.emit(id, null, stopped ? 'workspace.stopped' : 'workspace.resumed', now, '{}')
        tx.workChanged()
        return existing(tx, id)
      }),

    createApiKey: (workspaceId, name, prefix, hash, now) =>
      connection.write(async tx => {
        // Nodes that start together with one key set make it once.
        const row = await tx.row(
          `INSERT INTO api_keys AS k (workspace_id, name, prefix, hash, created_at) VALUES ($1, $2, $3, $4, $5)
           ON CONFLICT (hash) DO UPDATE SET name = k.name WHERE k.workspace_id = $1 RETURNING ${columns('api_keys', 'k')}`,
          [workspaceId, name, prefix, Buffer.from(hash), now],
        )
        if (row === undefined) throw new Error('this key opens another workspace')
        return toApiKey(row)
      }),

    async findApiKey(hash) {
      const row = await connection.row(
        `SELECT ${columns('api_keys')} FROM api_keys WHERE hash = $1 AND revoked_at IS NULL`,
        [Buffer.from(hash)],
      )
      return row === undefined ? null : { ...toApiKey(row), hash: row.hash as Uint8Array }
    },

    suppress: (workspaceId, numbers, reason, now, idempotency) =>
      connection.write(async tx => {
        await lockWorkspace(tx, workspaceId)
        await suppressNumbers(tx, workspaceId, numbers, reason, now)
        tx.workChanged()
        const suppressions = await readSuppressions(tx, workspaceId, numbers)
        await saveAnswer(tx, workspaceId, idempotency, suppressions)
        return suppressions
      }),

    unsuppress: (workspaceId, number, now) =>
      connection.write(async tx => {
        await lockWorkspace(tx, workspaceId)
        const removed = await tx.change('DELETE FROM suppressions WHERE workspace_id = $1 AND number = $2', [
          workspaceId,
          number,
        ])
        if (removed === 0) return false
        tx.emit(workspaceId, null, 'number.unsuppressed', now, JSON.stringify({ number }))
        tx.workChanged()
        return true
      }),

    listSuppressions: async (workspaceId, { afterNumber, limit }) => {
      const rows = await connection.rows(
        `SELECT ${columns('suppressions')} FROM suppressions WHERE workspace_id = $1 AND number > $2 ORDER BY number LIMIT $3`,
        [workspaceId, afterNumber ?? '', limit],
      )
      return rows.map(toSuppression)
    },
  }
}

async function create(tx: Transaction, name: string, now: number): Promise<Workspace> {
  const row = await tx.row(
    `INSERT INTO workspaces (name, max_concurrent_calls, created_at, updated_at) VALUES ($1, $2, $3, $3)
     RETURNING ${columns('workspaces')}`,
    [name, defaultMaxConcurrentCalls, now],
  )
  const workspace = toWorkspace(row as Row)
  await tx.change(
    `INSERT INTO trunks (workspace_id, name, kind, settings, created_at) VALUES ($1, 'simulated', 'simulated', '{}', $2)`,
    [workspace.id, now],
  )
  tx.workChanged()
  return workspace
}

async function readWorkspace(reader: Reader, id: number): Promise<Workspace | null> {
  const row = await reader.row(`SELECT ${columns('workspaces')} FROM workspaces WHERE id = $1`, [id])
  return row === undefined ? null : toWorkspace(row)
}

async function existing(reader: Reader, id: number): Promise<Workspace> {
  const workspace = await readWorkspace(reader, id)
  if (workspace === null) throw workspaceNotFound()
  return workspace
}

/**
 * Puts numbers on the list and takes them out of every live batch, in the transaction under way, which has locked the
 * workspace. Returns the batches that completed by that.
 */
export async function suppressNumbers(
  tx: Transaction,
  workspaceId: number,
  numbers: readonly string[],
  reason: string,
  now: number,
): Promise<number[]> {
  const added = await tx.rows(
    `INSERT INTO suppressions (workspace_id, number, reason, created_at)
     SELECT $1, n.number, $3, $4 FROM unnest($2::text[]) WITH ORDINALITY AS n (number, position) ORDER BY n.position
     ON CONFLICT DO NOTHING RETURNING number`,
    [workspaceId, numbers, reason, now],
  )
  if (added.length === 0) return []
  for (const { number } of added)
    tx.emit(workspaceId, null, 'number.suppressed', now, JSON.stringify({ number, reason }))
  return suppressWaiting(
    tx,
    workspaceId,
    added.map(({ number }) => number),
    now,
  )
}

async function readSuppressions(
  reader: Reader,
  workspaceId: number,
  numbers: readonly string[],
): Promise<Suppression[]> {
  const rows = await reader.rows(
    `SELECT ${columns('suppressions', 's')} FROM unnest($2::text[]) WITH ORDINALITY AS n (number, position)
       JOIN suppressions s ON s.workspace_id = $1 AND s.number = n.number ORDER BY n.position`,
    [workspaceId, numbers],
  )
  return rows.map(toSuppression)
}

const toSuppression = ({ number, reason, created_at: createdAt }: Row): Suppression => ({
  number,
  reason,
  createdAt,
})

const toApiKey = ({ id, workspace_id: workspaceId, name, prefix, created_at: createdAt }: Row): ApiKey => ({
  id,
  workspaceId,
  name,
  prefix,
  createdAt,
})
