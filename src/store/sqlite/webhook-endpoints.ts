// Webhook endpoints: who is told, with which secret, and how far they have been told.

import type { Row } from '../rows.ts'
import type { WebhookEndpoint, WebhookEndpointPatch, WebhookStore } from '../webhook-records.ts'
import { toEndpoint } from '../webhook-rows.ts'
import type { Connection } from './connection.ts'
import { saveAnswer } from './idempotency.ts'
import { headOf } from './outbox.ts'

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

export const selectEndpoint = `SELECT e.*, p.position, p.waiting, p.failing_since, p.last_delivered_at
  FROM webhook_endpoints e JOIN webhook_progress p ON p.endpoint_id = e.id`

export function webhookEndpointStatements(connection: Connection): Family {
  const find = (workspaceId: number, id: number): WebhookEndpoint | null => {
    const row = connection
      .prepare(`${selectEndpoint} WHERE e.id = ? AND e.workspace_id = ?`)
      .get(id, workspaceId)
    return row === undefined ? null : toEndpoint(row as Row)
  }

  return {
    createWebhookEndpoint: (endpoint, idempotency) =>
      connection.write((): WebhookEndpoint => {
        const { workspaceId } = endpoint
        const id = insert(connection, endpoint)
        connection
          .prepare('INSERT INTO webhook_progress (endpoint_id, position) VALUES (?, ?)')
          .run(id, headOf(connection))
        const created = find(workspaceId, id) as WebhookEndpoint
        saveAnswer(connection, workspaceId, idempotency, created)
        return created
      }),

    findWebhookEndpoint: async (workspaceId, id) => find(workspaceId, id),

    listWebhookEndpoints: async (workspaceId, { after, limit }) =>
      connection
        .prepare(`${selectEndpoint} WHERE e.workspace_id = ? AND e.id > ? ORDER BY e.id LIMIT ?`)
        .all(workspaceId, after ?? 0, limit)
        .map(toEndpoint),

    updateWebhookEndpoint: (workspaceId, id, patch, now) =>
      connection.write((): WebhookEndpoint | null => {
        const before = find(workspaceId, id)
        if (before === null) return null
        update(connection, before, patch, now)
        return find(workspaceId, id)
      }),

    rotateWebhookSecret: (workspaceId, id, secret, previousUntil, now) =>
      connection.write((): WebhookEndpoint | null => {
        connection
          .prepare(
            `UPDATE webhook_endpoints SET previous_secret = secret, previous_secret_until = ?, secret = ?, updated_at = ?
             WHERE id = ? AND workspace_id = ?`,
          )
          .run(previousUntil, secret, now, id, workspaceId)
        return find(workspaceId, id)
      }),

    async deleteWebhookEndpoint(workspaceId, id) {
      const deleted = await connection.write(() => {
        if (find(workspaceId, id) === null) return false
        for (const table of ['webhook_lanes', 'webhook_progress'])
          connection.prepare(`DELETE FROM ${table} WHERE endpoint_id = ?`).run(id)
        connection.prepare('DELETE FROM webhook_endpoints WHERE id = ?').run(id)
        return true
      })
      const chunk = connection.prepare(
        'DELETE FROM webhook_deliveries WHERE id IN (SELECT id FROM webhook_deliveries WHERE endpoint_id = ? LIMIT ?)',
      )
      if (deleted)
        while ((await connection.write(() => chunk.run(id, deleteChunkRows).changes)) === deleteChunkRows);
      return deleted
    },

    listEnabledEndpoints: async () =>
      connection.prepare(`${selectEndpoint} WHERE e.enabled = 1 ORDER BY e.id`).all().map(toEndpoint),
  }
}

function insert(
  connection: Connection,
  endpoint: Parameters<WebhookStore['createWebhookEndpoint']>[0],
): number {
  const { lastInsertRowid } = connection
    .prepare(
      `INSERT INTO webhook_endpoints (workspace_id, url, format, events, agent_id, batch_id, description, secret,
         wants_answers, enabled, disabled_reason, created_at, updated_at)
       VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?12)`,
    )
    .run(
      endpoint.workspaceId,
      endpoint.url,
      endpoint.format,
      endpoint.events === null ? null : JSON.stringify(endpoint.events),
      endpoint.agentId,
      endpoint.batchId,
      endpoint.description,
      endpoint.secret,
      endpoint.wantsAnswers ? 1 : 0,
      endpoint.enabled ? 1 : 0,
      endpoint.enabled ? null : 'user',
      endpoint.createdAt,
    )
  return Number(lastInsertRowid)
}

function update(
  connection: Connection,
  before: WebhookEndpoint,
  patch: WebhookEndpointPatch,
  now: number,
): void {
  const { url, events, description, enabled, wantsAnswers } = { ...before, ...patch }
  const reason = enabled ? null : (before.disabledReason ?? 'user')
  connection
    .prepare(
      `UPDATE webhook_endpoints SET url = ?, events = ?, description = ?, enabled = ?, disabled_reason = ?,
         wants_answers = ?, updated_at = ? WHERE id = ?`,
    )
    .run(
      url,
      events === null ? null : JSON.stringify(events),
      description,
      enabled ? 1 : 0,
      reason,
      wantsAnswers ? 1 : 0,
      now,
      before.id,
    )
  if (enabled && !before.enabled)
    connection
      .prepare('UPDATE webhook_progress SET failing_since = NULL WHERE endpoint_id = ?')
      .run(before.id)
}
