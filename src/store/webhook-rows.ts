// Rows of the webhook tables → endpoints and deliveries. The names of columns are the same in both engines.

import type { Row } from './rows.ts'
import type { Delivery, WebhookEndpoint } from './webhook-records.ts'

/** Of things that belong to no batch; they are kept in order among themselves. */
export const noBatch = 0

export function toEndpoint(row: Row): WebhookEndpoint {
  return {
    id: row.id,
    workspaceId: row.workspace_id,
    url: row.url,
    format: row.format,
    events: row.events === null ? null : JSON.parse(row.events),
    agentId: row.agent_id,
    batchId: row.batch_id,
    description: row.description,
    secret: row.secret,
    previousSecret: row.previous_secret,
    previousSecretUntil: row.previous_secret_until,
    wantsAnswers: Boolean(row.wants_answers),
    enabled: Boolean(row.enabled),
    disabledReason: row.disabled_reason,
    position: row.position,
    waiting: row.waiting,
    failingSince: row.failing_since,
    lastDeliveredAt: row.last_delivered_at,
    createdAt: row.created_at,
    updatedAt: row.updated_at,
  }
}

export function toDelivery(row: Row): Delivery {
  return {
    id: row.id,
    endpointId: row.endpoint_id,
    batchId: row.batch_id === noBatch ? null : row.batch_id,
    eventId: row.event_id,
    eventAt: row.event_at,
    name: row.name,
    status: row.status,
    dueAt: row.due_at,
    tries: JSON.parse(row.tries),
    redeliveryOf: row.redelivery_of,
    createdAt: row.created_at,
    finishedAt: row.finished_at,
  }
}
