// Webhook endpoints: who is told, with which secret, and how far they have been told.
import type { Row } from '../rows.ts'
import type { NewWebhookEndpoint, WebhookEndpoint, WebhookStore } from '../webhook-records.ts'
import { toEndpoint } from '../webhook-rows.ts'
import { columns } from './columns.ts'
import type { Connection } from './connection.ts'
import { saveAnswer } from './idempotency.ts'
import { headOf } from './outbox-pages.ts'
import type { Reader, Transaction } from './transaction.ts'

type Family = Pick<
  WebhookStore,
  | 'createWebhookEndpoint'
  | 'findWebhookEndpoint'
  | 'listWebhookEndpoints'
  | 'updateWebhookEndpoint'
  | 'rotateWebhookSecret'
  | 'deleteWebhookEndpoint'
  | 'listEnabledEndpoints'
>

/** Rows deleted in one transaction. */
const deleteChunkRows = 5_000

export const selectEndpoint = `SELECT ${columns('webhook_endpoints', 'e')}, p.position, p.waiting, p.failing_since, p.last_delivered_at
  FROM webhook_endpoints e JOIN webhook_progress p ON p.endpoint_id = e.id`

export function webhookEndpointStatements(connection: Connection): Family {
  return {
    createWebhookEndpoint: (endpoint, idempotency) =>
      connection.write(async (tx): Promise<WebhookEndpoint> => {
        const { head } = await headOf(tx)
        const id = await insert(tx, endpoint)
        await tx.change('INSERT INTO webhook_progress (endpoint_id, position) VALUES ($1, $2)', [id, head])
        const created = (await find(tx, endpoint.workspaceId, id)) as WebhookEndpoint
        await saveAnswer(tx, endpoint.workspaceId, idempotency, created)
        return created
      }),

    findWebhookEndpoint: (workspaceId, id) => find(connection, workspaceId, id),

    async listWebhookEndpoints(workspaceId, { after, limit }) {
      const rows = await connection.rows(
        `${selectEndpoint} WHERE e.workspace_id = $1 AND e.id > $2 ORDER BY e.id LIMIT $3`,
        [workspaceId, after ?? 0, limit],
      )
      return rows.map(toEndpoint)
    },

    updateWebhookEndpoint: (workspaceId, id, patch, now) =>
      connection.write(async (tx): Promise<WebhookEndpoint | null> => {
        if (!(await lockEndpoint(tx, id))) return null
        const before = await find(tx, workspaceId, id)
        if (before === null) return null
        const { url, events, description, enabled, wantsAnswers } = { ...before, ...patch }
        const reason = enabled ? null : (before.disabledReason ?? 'user')
        await tx.change(
          `UPDATE webhook_endpoints SET url = $2, events = $3, description = $4, enabled = $5, disabled_reason = $6,
             wants_answers = $7, updated_at = $8 WHERE id = $1`,
          [id, url, asText(events), description, enabled, reason, wantsAnswers, now],
        )
        if (enabled && !before.enabled)
          await tx.change('UPDATE webhook_progress SET failing_since = NULL WHERE endpoint_id = $1', [id])
        return find(tx, workspaceId, id)
      }),

    rotateWebhookSecret: (workspaceId, id, secret, previousUntil, now) =>
      connection.write(async (tx): Promise<WebhookEndpoint | null> => {
        await tx.change(
          `UPDATE webhook_endpoints SET previous_secret = secret, previous_secret_until = $3, secret = $4, updated_at = $5
           WHERE id = $1 AND workspace_id = $2`,
          [id, workspaceId, previousUntil, secret, now],
        )
        return find(tx, workspaceId, id)
      }),

    async deleteWebhookEndpoint(workspaceId, id) {
      const deleted = await connection.write(async tx => {
        if (!(await lockEndpoint(tx, id)) || (await find(tx, workspaceId, id)) === null) return false
        for (const table of ['webhook_lanes', 'webhook_progress'])
          await tx.change(`DELETE FROM ${table} WHERE endpoint_id = $1`, [id])
        await tx.change('DELETE FROM webhook_endpoints WHERE id = $1', [id])
        return true
      })
      const chunk = `DELETE FROM webhook_deliveries WHERE id = ANY (ARRAY(
        SELECT id FROM webhook_deliveries WHERE endpoint_id = $1 ORDER BY id LIMIT $2))`
      const deleteChunk = (tx: Transaction) => tx.change(chunk, [id, deleteChunkRows])
      if (deleted) while ((await connection.write(deleteChunk)) === deleteChunkRows);
      return deleted
    },

    async listEnabledEndpoints() {
      return (await connection.rows(`${selectEndpoint} WHERE e.enabled ORDER BY e.id`)).map(toEndpoint)
    },
  }
}

/** Whoever changes what an endpoint has to deliver holds this. False: there is no such endpoint. */
export async function lockEndpoint(tx: Transaction, id: number): Promise<boolean> {
  return (
    (await tx.row('SELECT 1 FROM webhook_progress WHERE endpoint_id = $1 FOR UPDATE', [id])) !== undefined
  )
}

async function find(reader: Reader, workspaceId: number, id: number): Promise<WebhookEndpoint | null> {
  const row = await reader.row(`${selectEndpoint} WHERE e.id = $1 AND e.workspace_id = $2`, [id, workspaceId])
  return row === undefined ? null : toEndpoint(row)
}

async function insert(tx: Transaction, endpoint: NewWebhookEndpoint): Promise<number> {
  const { enabled, createdAt } = endpoint
  const row = await tx.row(
    `INSERT INTO webhook_endpoints (workspace_id, url, format, events, agent_id, batch_id, description, secret,
       wants_answers, enabled, disabled_reason, created_at, updated_at)
     VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $12) RETURNING id`,
    [
      endpoint.workspaceId,
      endpoint.url,
      endpoint.format,
      asText(endpoint.events),
      endpoint.agentId,
      endpoint.batchId,
      endpoint.description,
      endpoint.secret,
      endpoint.wantsAnswers,
      enabled,
      enabled ? null : 'user',
      createdAt,
    ],
  )
  return (row as Row).id
}

const asText = (events: string[] | null) => (events === null ? null : JSON.stringify(events))
