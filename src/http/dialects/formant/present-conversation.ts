// A conversation as Formant's clients read it: one person, whatever number of calls it takes, as the last call left it.
import type { FoundRecipient } from '../../../batches/find-recipient.ts'
import type { Batch } from '../../../domain/batch.ts'
import { recipientId } from '../../../domain/recipient-id.ts'
import { orNull, secondsInstant, tenthsOfSeconds } from '../instants.ts'
import { type FormantConversationStatus, standingTable } from '../standing-table.ts'
import { agentInteger } from './present.ts'
import { phoneColumn } from './schema.ts'

/** The answer of `POST /v1/call`. */
export function presentNewCall(batch: Batch) {
  const { scheduledAt } = batch
  return {
    agent_id: agentInteger(batch),
    conversation_id: recipientId(batch.id, 1),
    scheduled_for: orNull(scheduledAt, secondsInstant),
    status: scheduledAt === null ? 'initiated' : 'scheduled',
    trace_id: traceId(batch.id, 1),
  }
}

export interface PresentedConversation {
  agent_id: number
  /** null: a single call. */
  batch_call_id: number | null
  call_parameters: Record<string, unknown>
  conversation_id: number
  created_at: string
  duration_seconds: number | null
  end_timestamp: number | null
  failure_reason: string | null
  from_phone: string | null
  metadata: Record<string, unknown> | null
  recording_url: string | null
  results: Record<string, unknown>
  scheduled_for: string | null
  start_timestamp: number | null
  status: FormantConversationStatus
  to_phone: string
  trace_id: string
  transcript: { role: 'agent' | 'human'; message: string }[]
}

/** @param recordingUrl where the recording would be read */
export function presentConversation(
  { recipient, batch, conversation }: FoundRecipient,
  recordingUrl: string,
): PresentedConversation {
  const { id, position, number, variables, lastAttempt } = recipient
  const { answeredAt, endedAt } = lastAttempt ?? { answeredAt: null, endedAt: null }
  return {
    agent_id: agentInteger(batch),
    batch_call_id: batch.kind === 'call' ? null : batch.id,
    call_parameters: { [phoneColumn]: number, ...variables },
    conversation_id: id,
    created_at: secondsInstant(batch.createdAt),
    duration_seconds: orNull(endedAt, end => (answeredAt === null ? 0 : tenthsOfSeconds(end - answeredAt))),
    end_timestamp: endedAt,
    failure_reason: failureOf(recipient),
    from_phone: lastAttempt?.callerId ?? null,
    metadata: batch.metadata,
    recording_url: conversation?.recordingFile == null ? null : recordingUrl,
    results: conversation?.results ?? {},
    scheduled_for: orNull(batch.scheduledAt, secondsInstant),
    start_timestamp: lastAttempt?.dialedAt ?? null,
    status: statusOf(recipient, batch),
    to_phone: number,
    trace_id: traceId(batch.id, position),
    transcript: conversation?.transcript.map(({ role, message }) => ({ role, message })) ?? [],
  }
}

/** Whoever reads our logs or our own API finds the batch and the person by it. */
export const traceId = (batchId: number, position: number) => `batch-${batchId}-${position}`

function statusOf({ standing }: FoundRecipient['recipient'], batch: Batch): FormantConversationStatus {
  const hasNotBegun = standing === 'queued' && (batch.status === 'scheduled' || batch.status === 'draft')
  return hasNotBegun ? 'scheduled' : standingTable[standing].formant.conversation
}

function failureOf({ standing, lastAttempt }: FoundRecipient['recipient']): string | null {
  if (standing === 'suppressed') return 'the number is on the suppression list'
  const outcome = lastAttempt?.outcome ?? null
  if (outcome === null || standingTable[standing].formant.count === 'completed') return null
  return outcome.cause
}
