// Rows as the engines give them → the domain's things. The names of columns are the same in both; a boolean is 0 or 1 in SQLite.
import type { Batch } from '../domain/batch.ts'
import type { Conversation } from '../domain/conversation.ts'
import type { OutboxEvent } from '../domain/event.ts'
import type { Attempt, Progress, Recipient, Standing } from '../domain/recipient.ts'
import { standings } from '../domain/recipient.ts'
import { positionOf } from '../domain/recipient-id.ts'
import { defaultRetention } from '../domain/retention.ts'
import type { Agent, PhoneNumber, Trunk, Workspace } from '../domain/workspace.ts'

// biome-ignore lint/suspicious/noExplicitAny: columns are checked by the schema, not by the compiler
export type Row = Record<string, any>

const parsed = (text: string | null) => (text === null ? null : JSON.parse(text))

/** `no-answer` stands in column `no_answer`. */
export const columnOf = (standing: Standing): string => standing.replaceAll('-', '_')

export function toWorkspace(row: Row): Workspace {
  return {
    id: row.id,
    name: row.name,
    defaultRegion: row.default_region,
    destinations: parsed(row.destinations),
    maxConcurrentCalls: row.max_concurrent_calls,
    creditMillicents: row.credit_millicents,
    window: parsed(row.calling_window),
    retention: { ...defaultRetention, ...parsed(row.retention) },
    stopped: Boolean(row.stopped),
    createdAt: row.created_at,
    updatedAt: row.updated_at,
  }
}

export function toAgent(row: Row, aliases: string[]): Agent {
  return {
    id: row.id,
    workspaceId: row.workspace_id,
    name: row.name,
    architecture: row.architecture,
    prompt: row.prompt,
    firstMessage: row.first_message,
    connection: parsed(row.connection),
    maxConcurrentCalls: row.max_concurrent_calls,
    breakerUntil: row.breaker_until,
    aliases,
    createdAt: row.created_at,
  }
}

export function toTrunk(row: Row): Trunk {
  return {
    id: row.id,
    workspaceId: row.workspace_id,
    name: row.name,
    kind: row.kind,
    maxConcurrentCalls: row.max_concurrent_calls,
    callsPerSecond: row.calls_per_second,
    settings: parsed(row.settings),
    breakerUntil: row.breaker_until,
    breakerReason: row.breaker_reason,
    slowedCallsPerSecond: row.slowed_calls_per_second,
    createdAt: row.created_at,
  }
}

export function toPhoneNumber(row: Row, aliases: string[]): PhoneNumber {
  return {
    id: row.id,
    workspaceId: row.workspace_id,
    e164: row.e164,
    trunkId: row.trunk_id,
    agentId: row.agent_id,
    maxConcurrentCalls: row.max_concurrent_calls,
    maxCallsPerDay: row.max_calls_per_day,
    restingUntil: row.resting_until,
    aliases,
    createdAt: row.created_at,
  }
}

/** Every column of batch_progress, prefixed, so that it can stand beside a batch's own. */
export const progressColumns = [
  ...standings.map(standing => `p.${columnOf(standing)} AS p_${columnOf(standing)}`),
  'p.talk_ms AS p_talk_ms',
  'p.attempts AS p_attempts',
  'p.ended_attempts AS p_ended_attempts',
  'p.failed_attempts AS p_failed_attempts',
  'p.cost_millicents AS p_cost_millicents',
].join(', ')

export function toProgress(row: Row): Progress {
  const counts = {} as Record<Standing, number>
  for (const standing of standings) counts[standing] = row[`p_${columnOf(standing)}`]
  return {
    counts,
    talkMs: row.p_talk_ms,
    attempts: row.p_attempts,
    endedAttempts: row.p_ended_attempts,
    failedAttempts: row.p_failed_attempts,
    costMillicents: row.p_cost_millicents,
  }
}

/** From `batches b` joined with `batch_progress p` through `progressColumns`. */
export function toBatch(row: Row): Batch {
  const callers: number[] = parsed(row.caller_ids) ?? []
  const { rows, accepted, invalid, duplicate, suppressed } = row
  return {
    id: row.id,
    workspaceId: row.workspace_id,
    agentId: row.agent_id,
    phoneNumberId: row.phone_number_id,
    phoneNumberIds: callers.length === 0 ? [row.phone_number_id] : callers,
    trunkId: row.trunk_id,
    kind: row.kind,
    metadata: parsed(row.metadata),
    name: row.name,
    description: row.description,
    dialect: row.dialect,
    sentAgentId: row.sent_agent_id,
    sentPhoneNumberId: row.sent_phone_number_id,
    status: row.status,
    statusReason: row.status_reason,
    open: Boolean(row.open),
    timezone: row.timezone,
    scheduledAt: row.scheduled_at,
    createdAt: row.created_at,
    startedAt: row.started_at,
    completedAt: row.completed_at,
    updatedAt: row.updated_at,
    maxConcurrentCalls: row.max_concurrent_calls,
    callsPerSecond: row.calls_per_second,
    retry: parsed(row.retry),
    window: parsed(row.calling_window),
    ringTimeoutMs: row.ring_timeout_ms,
    maxCallMs: row.max_call_ms,
    record: Boolean(row.record),
    trace: Boolean(row.trace),
    answeringMachine: row.answering_machine,
    ingest: { rows, accepted, invalid, duplicate, suppressed },
    totalRecipients: accepted,
    progress: toProgress(row),
  }
}

/** From recipients; the latest attempt is looked up by the caller. */
export function toRecipient(row: Row, lastAttempt: Attempt | null): Recipient {
  return {
    id: row.id,
    batchId: row.batch_id,
    position: positionOf(row.id),
    rowNumber: row.row_number,
    number: row.number,
    zone: row.zone,
    variables: parsed(row.variables),
    standing: row.standing,
    attempts: row.attempts,
    dueAt: row.due_at,
    finishedAt: row.finished_at,
    lastAttempt,
  }
}

/** From `attempts` or `open_attempts`, with `number` and `caller_id` joined in. */
export function toAttempt(row: Row): Attempt {
  const ended = row.disposition !== undefined && row.disposition !== null
  return {
    id: row.id,
    batchId: row.batch_id,
    recipientId: row.recipient_id,
    ordinal: row.ordinal,
    number: row.number,
    callerId: row.caller_id,
    trunkId: row.trunk_id,
    status: ended ? 'ended' : row.status,
    callId: row.call_id,
    dialedAt: row.dialed_at,
    answeredAt: row.answered_at,
    endedAt: row.ended_at ?? null,
    outcome: ended
      ? {
          disposition: row.disposition,
          cause: row.cause,
          sipStatus: row.sip_status,
          q850: row.q850,
          fault: row.fault,
          retryable: Boolean(row.retryable),
        }
      : null,
    costMillicents: row.cost_millicents ?? 0,
  }
}

export function toEvent(row: Row): OutboxEvent {
  return {
    id: row.id,
    workspaceId: row.workspace_id,
    batchId: row.batch_id,
    type: row.type,
    at: row.at,
    data: parsed(row.data),
  }
}

export function toConversation(row: Row): Conversation {
  return {
    transcript: JSON.parse(row.transcript),
    results: JSON.parse(row.results),
    recordingFile: row.recording_file,
    recordingBytes: row.recording_bytes,
    line: JSON.parse(row.line),
  }
}

/** Who was never called waits in `queued`, who was in `waiting`. */
export const queueOf = (ordinal: number): 'queued' | 'waiting' => (ordinal > 1 ? 'waiting' : 'queued')
