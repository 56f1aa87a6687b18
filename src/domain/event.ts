// What the outbox holds: each event is written in the transaction that it tells of.

export const eventTypes = [
  'batch.created',
  'batch.scheduled',
  'batch.started',
  'batch.paused',
  'batch.resumed',
  'batch.rescheduled',
  'batch.cancelled',
  'batch.closed',
  'batch.completed',
  'batch.failed',
  'recipients.added',
  // Only while a webhook endpoint of the workspace asks for it: a row more for each call is a tenth of a call's cost.
  'attempt.answered',
  'attempt.ended',
  'attempt.put-back',
  'number.suppressed',
  'number.unsuppressed',
  'phone-number.resting',
  // Without the number: that is gone.
  'person.erased',
  'trunk.updated',
  'trunk.slowed',
  'trunk.breaker-opened',
  'trunk.breaker-closed',
  'agent.breaker-opened',
  'agent.breaker-closed',
  'webhook-endpoint.disabled',
  'workspace.updated',
  'workspace.stopped',
  'workspace.resumed',
] as const
export type EventType = (typeof eventTypes)[number]

export interface OutboxEvent {
  id: number
  workspaceId: number
  batchId: number | null
  type: EventType
  at: number
  data: Record<string, unknown>
}
