// Who may enter, who may no longer, and what each of them did.
import { Refusal } from '../../domain/refusal.ts'
import type { AuditEntry, HousekeepingStore, ListedApiKey } from '../housekeeping-store.ts'
import type { Connection } from './connection.ts'
import type { Row } from './rows.ts'

type Family = Pick<
  HousekeepingStore,
  'listApiKeys' | 'isRevokedKey' | 'revokeApiKey' | 'writeAudit' | 'listAudit'
>

export function accessStatements(connection: Connection): Family {
  const keys = connection.prepare('SELECT * FROM api_keys WHERE workspace_id = ? ORDER BY id')
  const revoked = connection.prepare('SELECT 1 FROM api_keys WHERE hash = ? AND revoked_at IS NOT NULL')
  const revoke = connection.prepare('UPDATE api_keys SET revoked_at = ? WHERE id = ?')
  const insertAudit = connection.prepare(
    `INSERT INTO audit_log (workspace_id, at, api_key_id, api_key_prefix, action, subject)
     VALUES (?, ?, ?, ?, ?, ?)`,
  )
  const audit = connection.prepare(
    'SELECT * FROM audit_log WHERE workspace_id = ? AND id < ? ORDER BY id DESC LIMIT ?',
  )
  const list = (workspaceId: number) => keys.all(workspaceId).map(toListedKey)

  return {
    listApiKeys: async workspaceId => list(workspaceId),

    isRevokedKey: async hash => revoked.get(hash) !== undefined,

    revokeApiKey: (workspaceId, keyId, now) =>
      connection.write(() => {
        const all = list(workspaceId)
        const key = all.find(({ id }) => id === keyId)
        if (key === undefined) return null
        if (key.revokedAt !== null) return key
        if (all.filter(({ revokedAt }) => revokedAt === null).length === 1) throw lastKey()
        revoke.run(now, keyId)
        return { ...key, revokedAt: now }
      }),

    writeAudit: ({ workspaceId, at, apiKeyId, apiKeyPrefix, action, subject }) =>
      connection.write(() => {
        insertAudit.run(workspaceId, at, apiKeyId, apiKeyPrefix, action, subject)
      }),

    listAudit: async (workspaceId, { beforeId, limit }) =>
      audit.all(workspaceId, beforeId ?? Number.MAX_SAFE_INTEGER, limit).map(toAuditEntry),
  }
}

const lastKey = () =>
  new Refusal(
    'conflict',
    'last_api_key',
    'This is the last key that opens the workspace: create another one before you revoke it.',
  )

function toListedKey(row: Row): ListedApiKey {
  return {
    id: row.id,
    workspaceId: row.workspace_id,
    name: row.name,
    prefix: row.prefix,
    createdAt: row.created_at,
    revokedAt: row.revoked_at,
  }
}

function toAuditEntry(row: Row): AuditEntry & { id: number } {
  return {
    id: row.id,
    workspaceId: row.workspace_id,
    at: row.at,
    apiKeyId: row.api_key_id,
    apiKeyPrefix: row.api_key_prefix,
    action: row.action,
    subject: row.subject,
  }
}
