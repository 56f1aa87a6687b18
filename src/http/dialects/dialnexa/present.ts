// What DialNexa's clients read: batches with three counts, call logs, status changes and errors, made from ours.
import { STATUS_CODES } from 'node:http'
import type { Batch, BatchStatus } from '../../../domain/batch.ts'
import { countAt } from '../../../domain/progress.ts'
import {
  type Attempt,
  finalStanding,
  liveStandings,
  type Standing,
  standings,
} from '../../../domain/recipient.ts'
import type { Refusal } from '../../../domain/refusal.ts'
import { type ErrorAnswer, statusOfRefusal } from '../../dialect.ts'
import { millisInstant, orNull, tenthsOfSeconds } from '../instants.ts'
import { type DialnexaStatus, standingTable } from '../standing-table.ts'
import { printAgentId } from '../wire-id.ts'

export const batchPrefix = 'batch_'
export const agentPrefix = 'agt_'
const callPrefix = 'call_'

export interface BatchCallView {
  id: string
  name: string
  status: string
  total_leads: number
  completed: number
  failed: number
  agent_id: string
  created_at: string
}

/** A batch as later reads show it. */
export function presentBatch(batch: Batch): BatchCallView {
  return {
    id: `${batchPrefix}${batch.id}`,
    name: batch.name,
    status: statusWords[batch.status],
    total_leads: batch.totalRecipients,
    completed: countOf(batch, 'completed'),
    failed: countOf(batch, 'failed'),
    agent_id: printAgentId(batch, 'dialnexa', agentPrefix),
    created_at: millisInstant(batch.createdAt),
  }
}

/** The acknowledgement of a create. */
export function presentCreated(batch: Batch): BatchCallView {
  return { ...presentBatch(batch), status: 'initiated' }
}

/** A page of anything, with its `meta`. */
export function presentPage<T>(data: T[], page: number, limit: number, total: number) {
  return { data, meta: { page, limit, total, totalPages: Math.ceil(total / limit) } }
}

/** An attempt together with what its recipient has come to. */
export interface LoggedAttempt extends Attempt {
  variables: Record<string, unknown>
  recipientAttempts: number
  standing: Standing
}

/** One call that was placed. */
export function presentCallLog(attempt: LoggedAttempt) {
  const { dialedAt, answeredAt, endedAt, outcome } = attempt
  const status = callStatus(attempt)
  const talked = answeredAt !== null && endedAt !== null
  return {
    id: `${callPrefix}${attempt.id}`,
    batch_id: `${batchPrefix}${attempt.batchId}`,
    phone_number: attempt.number,
    status,
    attempt_number: attempt.ordinal,
    duration_seconds: talked ? tenthsOfSeconds(endedAt - answeredAt) : 0,
    started_at: orNull(dialedAt, millisInstant),
    ended_at: orNull(endedAt, millisInstant),
    failure_reason: outcome === null || status === 'completed' ? null : outcome.cause,
    variables: attempt.variables,
    created_at: orNull(dialedAt, millisInstant),
  }
}

/** Where a recipient stands, in the vendor's word; `last` is the latest attempt, `attempts` how many calls there were. */
export function recipientStatus(standing: Standing, last: Attempt | null, attempts: number): DialnexaStatus {
  const row = standingTable[standing].dialnexa
  if (row.ofLastCall === true)
    return last?.outcome ? recipientStatus(finalStanding(last.outcome), last, 1) : row.status
  if (row.whenRinging !== undefined && (last?.status === 'ringing' || last?.status === 'answered'))
    return row.whenRinging
  if (row.whenRetried !== undefined && attempts > 1) return row.whenRetried
  if (row.whenRangOut !== undefined && rangOut(last)) return row.whenRangOut
  return row.status
}

/** The answer of pause, resume and cancel. */
export function presentStatusChange(batch: Batch, action: 'pause' | 'resume' | 'cancel', dropped: number) {
  const { counts } = batch.progress
  return {
    success: true,
    message: `Batch ${doneWords[action]}`,
    campaign: { id: `${batchPrefix}${batch.id}`, status: statusWords[batch.status], title: batch.name },
    affectedCalls: {
      pending: counts.queued + counts.waiting,
      in_progress: counts.calling,
      cancelled: dropped,
    },
  }
}

/** `{"statusCode","message","error"}`, with the grouped rows of a refused file as `errors`. */
export function presentError(refusal: Refusal): ErrorAnswer {
  const statusCode = statusOfRefusal[refusal.kind]
  const error = STATUS_CODES[statusCode] ?? 'Error'
  const groups = groupedRows(refusal)
  const body = {
    statusCode,
    message: sentenceOf(refusal),
    error,
    ...(groups === null ? {} : { errors: groups }),
  }
  return { status: statusCode, body }
}

const statusWords: Record<BatchStatus, string> = {
  importing: 'draft',
  draft: 'draft',
  scheduled: 'active',
  running: 'running',
  paused: 'paused',
  completed: 'completed',
  cancelled: 'cancelled',
  failed: 'cancelled',
}

const doneWords = { pause: 'paused', resume: 'resumed', cancel: 'cancelled' } as const

function countOf(batch: Batch, counter: 'completed' | 'failed'): number {
  const counted = standings.filter(standing => standingTable[standing].dialnexa.counter === counter)
  return countAt(batch.progress, counted)
}

/** A call's own status; the last call of somebody for whom no retry is left says so. */
function callStatus(attempt: LoggedAttempt): DialnexaStatus {
  if (attempt.outcome === null) return recipientStatus('calling', attempt, attempt.ordinal)
  const isLast = attempt.ordinal === attempt.recipientAttempts && !liveStandings.has(attempt.standing)
  return recipientStatus(finalStanding(attempt.outcome), attempt, isLast ? attempt.ordinal : 1)
}

/** ITU-T Q.850 cause 19 is "no answer from user (user alerted)"; otherwise it was our ring time-out that ended it. */
function rangOut(attempt: Attempt | null): boolean {
  const outcome = attempt?.outcome
  return (
    outcome != null && (outcome.q850 === 19 || outcome.sipStatus === 487 || outcome.cause === 'ring timeout')
  )
}

function groupedRows({ code, details }: Refusal) {
  if (code !== 'strict_rows' || !Array.isArray(details.errors)) return null
  return (details.errors as { reason: string; count: number; rows: number[] }[]).map(
    ({ reason, count, rows }) => ({
      reason,
      count,
      rows,
    }),
  )
}

function sentenceOf({ code, message }: Refusal): string {
  return code === 'missing_phone_column' ? 'The uploaded file must include a phone_number column' : message
}
