// What TalkifAI's clients read: jobs, contacts and the answers of each action, made from ours.
import type { Batch, BatchStatus } from '../../../domain/batch.ts'
import type { Disposition } from '../../../domain/outcome.ts'
import { countFinished, countReached, countUnreached } from '../../../domain/progress.ts'
import { type Recipient, type Standing, standings, statusOf } from '../../../domain/recipient.ts'
import { orNull, secondsInstant, tenthsOfSeconds } from '../instants.ts'
import { standingTable, type TalkifaiStatus } from '../standing-table.ts'
import { printAgentId, printPhoneNumberId } from '../wire-id.ts'

export const batchPrefix = 'batch_'
export const phonePrefix = 'phone_'
export const organizationPrefix = 'org_'
export const agentPrefix = 'agt_'
export const contactPrefix = 'contact_'

/** What a batch of so many contacts may take and cost, in words. */
export interface EstimateWords {
  duration: string
  cost: string
}

export function presentCreated(batch: Batch, estimate: EstimateWords) {
  const total = batch.totalRecipients
  return {
    success: true,
    batchJobId: jobId(batch),
    totalContacts: total,
    estimatedDuration: estimate.duration,
    estimatedCost: estimate.cost,
    status: batch.scheduledAt === null ? 'pending' : 'scheduled',
    scheduledStartTime: orNull(batch.scheduledAt, secondsInstant),
    message: `Batch job created with ${total} ${total === 1 ? 'contact' : 'contacts'}`,
  }
}

/** A job as lists show it; `estimatedEndAt` is null where nothing is under way. */
export function presentJob(batch: Batch, estimatedEndAt: number | null) {
  return {
    id: jobId(batch),
    name: batch.name,
    description: batch.description,
    status: jobStatusWords[batch.status],
    organizationId: `${organizationPrefix}${batch.workspaceId}`,
    agentId: printAgentId(batch, 'talkifai', agentPrefix),
    fromPhoneNumberId: printPhoneNumberId(batch, 'talkifai', phonePrefix),
    totalContacts: batch.totalRecipients,
    contactsProcessed: countFinished(batch.progress),
    successfulCalls: countReached(batch.progress),
    failedCalls: countUnreached(batch.progress),
    statusBreakdown: statusBreakdown(batch),
    scheduledStartTime: orNull(batch.scheduledAt, secondsInstant),
    actualStartTime: orNull(batch.startedAt, secondsInstant),
    completedAt: orNull(batch.completedAt, secondsInstant),
    estimatedCompletionTime: orNull(estimatedEndAt, secondsInstant),
    createdAt: secondsInstant(batch.createdAt),
    concurrentCallLimit: batch.maxConcurrentCalls,
    retryPolicy: {
      maxAttempts: batch.retry.maxAttempts,
      retryableStatuses: retryableStatuses(batch),
    },
  }
}

export interface ContactsPage {
  contacts: Recipient[]
  total: number
  page: number
  pageSize: number
}

/** A job with one page of its contacts. */
export function presentJobWithContacts(batch: Batch, estimatedEndAt: number | null, page: ContactsPage) {
  return {
    ...presentJob(batch, estimatedEndAt),
    contacts: page.contacts.map(contact => presentContact(contact, batch.retry.maxAttempts)),
    contactsTotal: page.total,
    contactsPage: page.page,
    contactsPageSize: page.pageSize,
    contactsHasMore: page.page * page.pageSize < page.total,
  }
}

export function presentContact(contact: Recipient, maxAttempts: number) {
  const last = contact.lastAttempt
  const failure = last?.outcome && !isSuccessful(last.outcome.disposition) ? last.outcome : null
  const talked = last !== null && last.answeredAt !== null && last.endedAt !== null
  return {
    id: `${contactPrefix}${contact.id}`,
    phoneNumber: contact.number,
    contactData: contact.variables,
    status: standingTable[contact.standing].talkifai,
    errorCode: errorCode(failure?.sipStatus ?? null),
    attemptCount: contact.attempts,
    maxAttempts,
    lastAttemptAt: orNull(last?.dialedAt ?? null, secondsInstant),
    nextRetryAt: contact.standing === 'waiting' ? orNull(contact.dueAt, secondsInstant) : null,
    completedAt: orNull(contact.finishedAt, secondsInstant),
    roomName: null,
    failureReason: failure?.cause ?? null,
    callDuration: talked ? tenthsOfSeconds(last.endedAt! - last.answeredAt!) : null,
  }
}

/** The final SIP status; an agent that broke after a 200 leaves none. */
export function errorCode(sipStatus: number | null): string | null {
  return sipStatus === null || sipStatus < 300 ? null : String(sipStatus)
}

/** `redisJobCancelled` is the vendor's word for a timed start that was waiting and is no more. */
export function presentCancelled(batch: Batch, contactsCancelled: number, startWasWaiting: boolean) {
  return {
    success: true,
    message: `Batch job cancelled, ${contactsCancelled} ${contactsCancelled === 1 ? 'contact' : 'contacts'} dropped`,
    batchJobId: jobId(batch),
    redisJobCancelled: startWasWaiting,
    contactsCancelled,
  }
}

export function presentStarted(batch: Batch, startWasWaiting: boolean, now: number) {
  return {
    success: true,
    message: 'Batch job started',
    batchJobId: jobId(batch),
    status: 'running',
    contactsEnqueued: batch.totalRecipients,
    redisJobCancelled: startWasWaiting,
    startedAt: secondsInstant(batch.startedAt ?? now),
  }
}

export function presentRescheduled(batch: Batch, startWasWaiting: boolean) {
  const at = batch.scheduledAt!
  return {
    success: true,
    message: `Batch job rescheduled to ${secondsInstant(at)}`,
    batchJobId: jobId(batch),
    scheduledStartTime: secondsInstant(at),
    status: 'scheduled',
    oldJobCancelled: startWasWaiting,
    newScheduledJobId: `start_${batch.id}_${Math.floor(at / 1000)}`,
  }
}

/** The answer of pause and resume. */
export function presentStatus(batch: Batch, message: string) {
  return { success: true, message, batchJobId: jobId(batch), status: jobStatusWords[batch.status] }
}

export function presentDeleted(id: number) {
  return { success: true, message: 'Batch job deleted', batchJobId: `${batchPrefix}${id}` }
}

/** The vendor's word for a batch's status. */
export const jobStatusWords: Record<BatchStatus, string> = {
  importing: 'pending',
  draft: 'pending',
  scheduled: 'scheduled',
  running: 'running',
  paused: 'paused',
  completed: 'completed',
  cancelled: 'cancelled',
  failed: 'failed',
}

/** Somebody talked to the agent, or a machine took the message. */
export function isSuccessful(standing: Standing): boolean {
  return standing === 'answered' || standing === 'voicemail'
}

/** Called, and it came to nothing. */
export function isFailed(standing: Standing): boolean {
  return statusOf(standing) === 'finished' && !isSuccessful(standing)
}

function jobId(batch: Batch): string {
  return `${batchPrefix}${batch.id}`
}

/** Statuses in which nobody stands are left out. */
function statusBreakdown(batch: Batch): Partial<Record<TalkifaiStatus, number>> {
  const breakdown: Partial<Record<TalkifaiStatus, number>> = {}
  for (const standing of standings) {
    const count = batch.progress.counts[standing]
    if (count === 0) continue
    const status = standingTable[standing].talkifai
    breakdown[status] = (breakdown[status] ?? 0) + count
  }
  return breakdown
}

/** In the vendor's order; a lost call is repaired by us and is no status of theirs. */
const retriedStandings: readonly [Standing, Disposition][] = [
  ['no-answer', 'no-answer'],
  ['busy', 'busy'],
  ['timeout', 'no-answer'],
  ['carrier-failure', 'carrier-failure'],
  ['agent-failure', 'agent-failure'],
  ['blocked', 'blocked'],
  ['declined', 'declined'],
]

function retryableStatuses(batch: Batch): TalkifaiStatus[] {
  const retried = retriedStandings.filter(
    ([, disposition]) => (batch.retry.delaysMs[disposition]?.length ?? 0) > 0,
  )
  return [...new Set(retried.map(([standing]) => standingTable[standing].talkifai))]
}
