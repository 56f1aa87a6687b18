// Workspaces, API keys, suppressions and idempotency keys.
import type { Suppression, Workspace } from '../../domain/workspace.ts'
import { defaultMaxConcurrentCalls, keptAnswerMs } from '../limits.ts'
import { workspaceNotFound } from '../refusals.ts'
import { type Row, toWorkspace } from '../rows.ts'
import type { Idempotency, IdempotencyVerdict, Store, WorkspacePatch } from '../store.ts'
import type { Connection } from './connection.ts'
import { saveAnswer } from './idempotency.ts'
import { suppressWaiting } from './moves.ts'

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
  | 'reserveIdempotencyKey'
  | 'releaseIdempotencyKey'
>

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
  const get = (id: number): Workspace | null => {
    const row = connection.prepare('SELECT * FROM workspaces WHERE id = ?').get(id)
    return row === undefined ? null : toWorkspace(row)
  }
  const existing = (id: number): Workspace => {
    const workspace = get(id)
    if (workspace === null) throw workspaceNotFound()
    return workspace
  }
  const create = (name: string, now: number): Workspace => {
    const { lastInsertRowid } = connection
      .prepare(
        'INSERT INTO workspaces (name, max_concurrent_calls, created_at, updated_at) VALUES (?, ?, ?, ?)',
      )
      .run(name, defaultMaxConcurrentCalls, now, now)
    connection
      .prepare(
        `INSERT INTO trunks (workspace_id, name, kind, settings, created_at) VALUES (?, 'simulated', 'simulated', '{}', ?)`,
      )
      .run(lastInsertRowid, now)
    connection.workChanged()
    return existing(Number(lastInsertRowid))
  }

  return {
    createWorkspace: (name, now) => connection.write(() => create(name, now)),

    firstWorkspace: (name, now) =>
      connection.write(() => {
        const first = connection.prepare('SELECT * FROM workspaces ORDER BY id LIMIT 1').get()
        return first === undefined
          ? { workspace: create(name, now), isNew: true }
          : { workspace: toWorkspace(first), isNew: false }
      }),

    listWorkspaces: async () =>
      connection.prepare('SELECT * FROM workspaces ORDER BY id').all().map(toWorkspace),

    getWorkspace: async id => get(id),

    updateWorkspace: (id, patch, now) =>
      connection.write(() => {
        for (const [field, value] of Object.entries(patch)) {
          const column = patchColumns[field as keyof WorkspacePatch]
          const stored = value !== null && typeof value === 'object' ? JSON.stringify(value) : (value ?? null)
          connection
            .prepare(`UPDATE workspaces SET ${column} = ?, updated_at = ? WHERE id = ?`)
            .run(stored as string | number | null, now, id)
        }
        const workspace = existing(id)
        connection.emit(id, null, 'workspace.updated', now, JSON.stringify({ fields: Object.keys(patch) }))
        connection.workChanged()
        return workspace
      }),

    setWorkspaceStopped: (id, stopped, now) =>
      connection.write(() => {
        connection
          .prepare('UPDATE workspaces SET stopped = ?, updated_at = ? WHERE id = ?')
          .run(stopped ? 1 : 0, now, id)
        const workspace = existing(id)
        connection.emit(id, null, stopped ? 'workspace.stopped' : 'workspace.resumed', now, '{}')
        connection.workChanged()
        return workspace
      }),

    createApiKey: (workspaceId, name, prefix, hash, now) =>
      connection.write(() => {
        const { lastInsertRowid } = connection
          .prepare(
            'INSERT INTO api_keys (workspace_id, name, prefix, hash, created_at) VALUES (?, ?, ?, ?, ?)',
          )
          .run(workspaceId, name, prefix, hash, now)
        return { id: Number(lastInsertRowid), workspaceId, name, prefix, createdAt: now }
      }),

    findApiKey: async hash => {
      const row = connection
        .prepare('SELECT * FROM api_keys WHERE hash = ? AND revoked_at IS NULL')
        .get(hash) as Row | undefined
      if (row === undefined) return null
      const { id, workspace_id: workspaceId, name, prefix, created_at: createdAt } = row
      return { id, workspaceId, name, prefix, createdAt, hash: row.hash as Uint8Array }
    },

    suppress: (workspaceId, numbers, reason, now, idempotency?: Idempotency<Suppression[]>) =>
      connection.write(() => {
        const suppressions = numbers.map(number => suppressOne(connection, workspaceId, number, reason, now))
        connection.workChanged()
        saveAnswer(connection, workspaceId, idempotency, suppressions)
        return suppressions
      }),

    unsuppress: (workspaceId, number, now) =>
      connection.write(() => {
        const { changes } = connection
          .prepare('DELETE FROM suppressions WHERE workspace_id = ? AND number = ?')
          .run(workspaceId, number)
        if (changes === 0) return false
        connection.emit(workspaceId, null, 'number.unsuppressed', now, JSON.stringify({ number }))
        connection.workChanged()
        return true
      }),

    listSuppressions: async (workspaceId, { afterNumber, limit }) =>
      connection
        .prepare('SELECT * FROM suppressions WHERE workspace_id = ? AND number > ? ORDER BY number LIMIT ?')
        .all(workspaceId, afterNumber ?? '', limit)
        .map((row: Row) => ({ number: row.number, reason: row.reason, createdAt: row.created_at })),

    reserveIdempotencyKey: (workspaceId, key, fingerprint, now) =>
      connection.write((): IdempotencyVerdict => {
        connection
          .prepare('DELETE FROM idempotency_keys WHERE workspace_id = ? AND key = ? AND created_at <= ?')
          .run(workspaceId, key, now - keptAnswerMs)
        const row = connection
          .prepare('SELECT * FROM idempotency_keys WHERE workspace_id = ? AND key = ?')
          .get(workspaceId, key) as Row | undefined
        if (row === undefined) {
          connection
            .prepare(
              'INSERT INTO idempotency_keys (workspace_id, key, fingerprint, created_at) VALUES (?, ?, ?, ?)',
            )
            .run(workspaceId, key, fingerprint, now)
          return { verdict: 'new' }
        }
        if (row.fingerprint !== fingerprint) return { verdict: 'other-body' }
        if (row.status === null) return { verdict: 'in-flight' }
        return { verdict: 'answered', answer: { status: row.status, body: JSON.parse(row.body) } }
      }),

    releaseIdempotencyKey: (workspaceId, key) =>
      connection.write(() => {
        connection
          .prepare('DELETE FROM idempotency_keys WHERE workspace_id = ? AND key = ? AND status IS NULL')
          .run(workspaceId, key)
      }),
  }
}

/** Puts a number on the list and takes it out of every live batch, in the transaction under way; `completed` gathers the
 * batches that complete by that. */
export function suppressOne(
  connection: Connection,
  workspaceId: number,
  number: string,
  reason: string,
  now: number,
  completed: number[] = [],
): Suppression {
  const { changes } = connection
    .prepare(
      'INSERT OR IGNORE INTO suppressions (workspace_id, number, reason, created_at) VALUES (?, ?, ?, ?)',
    )
    .run(workspaceId, number, reason, now)
  if (changes > 0) {
    connection.emit(workspaceId, null, 'number.suppressed', now, JSON.stringify({ number, reason }))
    completed.push(...suppressWaiting(connection, workspaceId, number, now))
    // The check before each dial asks only in workspaces that suppress anybody: now this one does.
    connection.workChanged()
  }
  const row = connection
    .prepare('SELECT * FROM suppressions WHERE workspace_id = ? AND number = ?')
    .get(workspaceId, number) as Row
  return { number: row.number, reason: row.reason, createdAt: row.created_at }
}
