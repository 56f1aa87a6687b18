// Batches, recipients and attempts for the presenters' tests, with every field set; a test overrides what it is about.
import type { Batch } from '../../src/domain/batch.ts'
import { emptyProgress } from '../../src/domain/progress.ts'
import type { Attempt, Progress, Recipient, Standing } from '../../src/domain/recipient.ts'

const createdAt = Date.UTC(2024, 3, 10, 8, 0, 0, 250)

export function sampleBatch(fields: Partial<Batch> = {}): Batch {
  return {
    id: 7890,
    workspaceId: 1,
    agentId: 12,
    phoneNumberId: 7,
    phoneNumberIds: [7],
    trunkId: 1,
    kind: 'list',
    metadata: null,
    name: 'March Follow Ups',
    description: null,
    dialect: 'outdial',
    sentAgentId: '12',
    sentPhoneNumberId: null,
    status: 'running',
    statusReason: null,
    open: false,
    timezone: 'UTC',
    scheduledAt: null,
    createdAt,
    startedAt: createdAt,
    completedAt: null,
    updatedAt: createdAt,
    ingest: { rows: 0, accepted: 0, invalid: 0, duplicate: 0, suppressed: 0 },
    totalRecipients: 0,
    progress: emptyProgress(),
    maxConcurrentCalls: 5,
    callsPerSecond: null,
    retry: { maxAttempts: 3, delaysMs: {} },
    window: null,
    ringTimeoutMs: 45_000,
    maxCallMs: 3_600_000,
    record: false,
    trace: false,
    answeringMachine: 'off',
    ...fields,
  }
}

export function progressOf(
  counts: Partial<Record<Standing, number>>,
  sums: Partial<Progress> = {},
): Progress {
  const empty = emptyProgress()
  return { ...empty, ...sums, counts: { ...empty.counts, ...counts } }
}

export function sampleAttempt(fields: Partial<Attempt> = {}): Attempt {
  return {
    id: 31,
    batchId: 7890,
    recipientId: 5,
    ordinal: 1,
    number: '+12025550101',
    callerId: '+12025550199',
    trunkId: 1,
    status: 'ended',
    callId: 'call-31',
    dialedAt: createdAt,
    answeredAt: null,
    endedAt: createdAt + 20_000,
    outcome: null,
    costMillicents: 0,
    ...fields,
  }
}

/** An ended attempt with this outcome; the rest of the outcome says nothing. */
export function endedAttempt(
  outcome: Partial<NonNullable<Attempt['outcome']>>,
  fields: Partial<Attempt> = {},
): Attempt {
  const rest = { cause: 'sip', sipStatus: null, q850: null, fault: 'recipient', retryable: false } as const
  return sampleAttempt({ outcome: { disposition: 'answered', ...rest, ...outcome }, ...fields })
}

export function sampleRecipient(standing: Standing, fields: Partial<Recipient> = {}): Recipient {
  return {
    id: 5,
    batchId: 7890,
    position: 1,
    rowNumber: 2,
    number: '+12025550101',
    zone: 'America/New_York',
    variables: { name: 'John Smith' },
    standing,
    attempts: 0,
    dueAt: null,
    finishedAt: null,
    lastAttempt: null,
    ...fields,
  }
}
