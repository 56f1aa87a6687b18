// What Formant's clients read: batches, the twelve metrics and errors, made from ours.
import type { Batch, BatchStatus } from '../../../domain/batch.ts'
import { averageTalkSeconds, countAt, percentOf } from '../../../domain/progress.ts'
import { type Progress, standings } from '../../../domain/recipient.ts'
import type { Refusal } from '../../../domain/refusal.ts'
import { type ErrorAnswer, statusOfRefusal } from '../../dialect.ts'
import { orNull, secondsInstant } from '../instants.ts'
import { type FormantCount, formantCounts, standingTable } from '../standing-table.ts'
import { printAgentId } from '../wire-id.ts'

export interface BatchCall {
  agent_id: number
  created_at: string
  id: number
  name: string
  scheduled_for: string | null
  status: string
  total_recipients: number
  updated_at: string | null
}

/** A batch as later reads show it. */
export function presentBatchCall(batch: Batch): BatchCall {
  return {
    agent_id: agentInteger(batch),
    created_at: secondsInstant(batch.createdAt),
    id: batch.id,
    name: batch.name,
    scheduled_for: orNull(batch.scheduledAt, secondsInstant),
    status: statusWords[batch.status],
    total_recipients: batch.totalRecipients,
    updated_at: secondsInstant(batch.updatedAt),
  }
}

/** A batch as its create answers: `pending` when it starts now, whatever has happened since. */
export function presentCreated(batch: Batch): BatchCall {
  return { ...presentBatchCall(batch), status: batch.scheduledAt === null ? 'pending' : 'scheduled' }
}

export interface BatchCallMetrics {
  avg_duration_seconds: number
  busy_count: number
  completed_count: number
  failed_count: number
  in_progress_count: number
  no_answer_count: number
  pending_retry_count: number
  socket_failure_count: number
  success_count: number
  success_rate: number
  total_processed: number
  unreachable_count: number
}

/**
 * The twelve figures of the vendor's batch guide. Each recipient is counted once, by where it stands now; the rate is
 * over all recipients, in percent with one decimal (420 of 500 is 84.0).
 */
export function presentMetrics(progress: Progress, totalRecipients: number): BatchCallMetrics {
  const counts = countByWord(progress)
  const succeeded = countAt(
    progress,
    standings.filter(standing => standingTable[standing].formant.success),
  )
  return {
    avg_duration_seconds: averageTalkSeconds(progress),
    busy_count: counts.busy,
    completed_count: counts.completed,
    failed_count: counts.failed,
    in_progress_count: counts.in_progress,
    no_answer_count: counts.no_answer,
    pending_retry_count: counts.pending_retry,
    socket_failure_count: counts.socket_failure,
    success_count: succeeded,
    success_rate: percentOf(succeeded, totalRecipients),
    total_processed:
      counts.completed +
      counts.failed +
      counts.no_answer +
      counts.busy +
      counts.unreachable +
      counts.socket_failure,
    unreachable_count: counts.unreachable,
  }
}

/** `{"error":{"message","type"}}` with the HTTP status that belongs to the refusal. */
export function presentError(refusal: Refusal): ErrorAnswer {
  const status = statusOfRefusal[refusal.kind]
  const error = { message: sentenceOf(refusal), type: errorTypes[refusal.kind] }
  if (refusal.code !== 'no_free_place') return { status, body: { error } }
  const { currentCalls, maxCalls } = refusal.details
  const type = 'concurrent_call_limit_exceeded'
  return { status, body: { error: { ...error, type, current_calls: currentCalls, max_calls: maxCalls } } }
}

const statusWords: Record<BatchStatus, string> = {
  importing: 'pending',
  draft: 'pending',
  scheduled: 'scheduled',
  running: 'in_progress',
  paused: 'paused',
  completed: 'completed',
  cancelled: 'cancelled',
  failed: 'failed',
}

const errorTypes: Record<Refusal['kind'], string> = {
  invalid: 'invalid_request',
  unauthorized: 'authentication_error',
  forbidden: 'authentication_error',
  'not-found': 'not_found',
  'method-not-allowed': 'invalid_request',
  conflict: 'duplicate_request',
  'too-large': 'invalid_request',
  'unsupported-media-type': 'invalid_request',
  unprocessable: 'invalid_request',
  'too-many': 'rate_limit_exceeded',
  internal: 'internal_error',
  unavailable: 'internal_error',
}

/** Ids are integers here: an agent that another dialect was sent under a name shows its own id. */
export function agentInteger(batch: Batch): number {
  const printed = printAgentId(batch, 'formant', '')
  return /^\d{1,15}$/.test(printed) ? Number(printed) : batch.agentId
}

function countByWord(progress: Progress): Record<FormantCount, number> {
  const counts = Object.fromEntries(formantCounts.map(word => [word, 0])) as Record<FormantCount, number>
  for (const standing of standings) {
    const word = standingTable[standing].formant.count
    if (word !== null) counts[word] += progress.counts[standing]
  }
  return counts
}

/** The vendor's word for the column stands in the sentence where a client would look for it. */
function sentenceOf({ code, message, details }: Refusal): string {
  if (code === 'missing_phone_column') {
    const columns = Array.isArray(details.columns) ? details.columns : []
    return `The file must include a customer_phone column. Found columns: ${columns.join(', ') || 'none'}`
  }
  return message
}
