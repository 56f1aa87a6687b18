// Who may enter, who may no longer, and what each of them did.
import { keyToRevoke, toAuditEntry, toListedKey } from '../housekeeping-rows.ts'
import type { HousekeepingStore, ListedApiKey } from '../housekeeping-store.ts'
import { columns } from './columns.ts'
import type { Connection } from './connection.ts'
import { lockWorkspace } from './locks.ts'
import type { Reader } from './transaction.ts'

type Family = Pick<
  HousekeepingStore,
  'listApiKeys' | 'isRevokedKey' | 'revokeApiKey' | 'writeAudit' | 'listAudit'
>

export function accessStatements(connection: Connection): Family {
  return {
    listApiKeys: workspaceId => list(connection, workspaceId),

    async isRevokedKey(hash) {
      const row = await connection.row('SELECT 1 FROM api_keys WHERE hash = $1 AND revoked_at IS NOT NULL', [
        Buffer.from(hash),
      ])
      return row !== undefined
    },

    revokeApiKey: (workspaceId, keyId, now) =>
      connection.write(async tx => {
        // Two that are revoked at once would both find the other one left.
        await lockWorkspace(tx, workspaceId)
        const key = keyToRevoke(await list(tx, workspaceId), keyId)
        if (key === null || key.revokedAt !== null) return key
        await tx.change('UPDATE api_keys SET revoked_at = $2 WHERE id = $1', [keyId, now])
        return { ...key, revokedAt: now }
      }),

    writeAudit: ({ workspaceId, at, apiKeyId, apiKeyPrefix, action, subject }) =>
      connection.write(async tx => {
        await tx.change(
          `INSERT INTO audit_log (workspace_id, at, api_key_id, api_key_prefix, action, subject)
           VALUES ($1, $2, $3, $4, $5, $6)`,
          [workspaceId, at, apiKeyId, apiKeyPrefix, action, subject],
        )
      }),

    async listAudit(workspaceId, { beforeId, limit }) {
      const rows = await connection.rows(
        `SELECT ${columns('audit_log')} FROM audit_log WHERE workspace_id = $1 AND id < $2 ORDER BY id DESC LIMIT $3`,
        [workspaceId, beforeId ?? Number.MAX_SAFE_INTEGER, limit],
      )
      return rows.map(toAuditEntry)
    },
  }
}

async function list(reader: Reader, workspaceId: number): Promise<ListedApiKey[]> {
  const rows = await reader.rows(
    `SELECT ${columns('api_keys')} FROM api_keys WHERE workspace_id = $1 ORDER BY id`,
    [workspaceId],
  )
  return rows.map(toListedKey)
}
