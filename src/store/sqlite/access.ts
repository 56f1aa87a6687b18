// Who may enter, who may no longer, and what each of them did.
import { keyToRevoke, toAuditEntry, toListedKey } from '../housekeeping-rows.ts'
import type { HousekeepingStore } from '../housekeeping-store.ts'
import type { Connection } from './connection.ts'

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
        const key = keyToRevoke(list(workspaceId), keyId)
        if (key === null || key.revokedAt !== null) return key
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
