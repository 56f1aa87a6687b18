// What TalkifAI's clients send: the fields of a create (form or JSON), queries and bodies of the job routes.
import { z } from 'zod'
import type { BatchStatus } from '../../../domain/batch.ts'
import { type Standing, standings } from '../../../domain/recipient.ts'
import type { RetryPolicy } from '../../../domain/retry.ts'
import { integerField, jsonIntegerField, optionalField, textField, timeField, zoneField } from '../fields.ts'
import { standingTable, talkifaiStatuses } from '../standing-table.ts'

const minute = 60_000

export const phoneColumn = 'phone'
export const maxFileBytes = 10 * 1024 * 1024
export const maxContacts = 10_000
const maxNameChars = 200
const maxDescriptionChars = 1_000
const defaultConcurrentCalls = 5
const defaultMaxAttempts = 3

const sharedFields = {
  fromPhoneNumberId: textField(200),
  name: textField(maxNameChars),
  description: optionalField(
    z
      .string({ error: 'must be text' })
      .max(maxDescriptionChars, { error: `must have at most ${maxDescriptionChars} characters` }),
  ),
  scheduledStartTime: timeField,
  timezone: zoneField.transform(zone => zone ?? 'UTC'),
}

/** The form of `POST /batch/create`. */
export const createForm = z.object({
  ...sharedFields,
  concurrentCallLimit: optionalField(integerField(1, 50)).default(defaultConcurrentCalls),
  maxAttempts: optionalField(integerField(1, 10)).default(defaultMaxAttempts),
})

/** The JSON body of `POST /batch/create`; what each contact holds is checked where lists are read. */
export const createJson = z.object(
  {
    ...sharedFields,
    contacts: z.array(z.unknown(), { error: 'must be a list of objects, each with a phone' }),
    concurrentCallLimit: optionalField(jsonIntegerField(1, 50)).default(defaultConcurrentCalls),
    maxAttempts: optionalField(jsonIntegerField(1, 10)).default(defaultMaxAttempts),
  },
  { error: 'must be a JSON object' },
)

/** Statuses that a client may ask for, and which of ours they stand for. */
export const jobStatusFilter: Readonly<Record<string, readonly BatchStatus[]>> = {
  pending: ['draft'],
  scheduled: ['scheduled'],
  running: ['running'],
  paused: ['paused'],
  completed: ['completed'],
  failed: ['failed'],
  cancelled: ['cancelled'],
}

/** The query of `GET /batch/jobs`. */
export const listQuery = z.object({
  organizationId: z.string({ error: 'must be given once' }).optional(),
  status: z
    .enum(Object.keys(jobStatusFilter), {
      error: `must be one of: ${Object.keys(jobStatusFilter).join(', ')}`,
    })
    .optional(),
  page: integerField(1, 1_000_000_000).default(1),
  pageSize: integerField(1, 100).default(20),
})

/** The query of `GET /batch/jobs/{id}`. */
export const jobQuery = z.object({
  contactStatus: z
    .enum(talkifaiStatuses, { error: `must be one of: ${talkifaiStatuses.join(', ')}` })
    .optional(),
  contactsPage: integerField(1, 1_000_000_000).default(1),
  contactsPageSize: integerField(1, 500).default(50),
})

/** The query of `PATCH /batch/jobs/{id}/reschedule`. */
export const rescheduleQuery = z.object({
  scheduledStartTime: z
    .string({ error: 'must be an ISO 8601 date and time' })
    .trim()
    .min(1, { error: 'must be an ISO 8601 date and time' }),
  timezone: zoneField.transform(zone => zone ?? 'UTC'),
})

export const exportFilters = ['all', 'successful', 'failed'] as const
export type ExportFilter = (typeof exportFilters)[number]

/** The body of `POST /batch/jobs/{id}/export`. */
export const exportBody = z.preprocess(
  body => body ?? {},
  z.object(
    {
      format: z.enum(['csv'], { error: 'must be csv' }).default('csv'),
      filter: z.enum(exportFilters, { error: `must be one of: ${exportFilters.join(', ')}` }).default('all'),
    },
    { error: 'must be a JSON object' },
  ),
)

/** Which of our standings a contact's status stands for. */
export function standingsOf(status: (typeof talkifaiStatuses)[number]): Standing[] {
  return standings.filter(standing => standingTable[standing].talkifai === status)
}

/** Busy, unanswered and timed out: after 5, then every 30 minutes; refused and wrong numbers never. */
export function retryPolicyOf(maxAttempts: number): RetryPolicy {
  return {
    maxAttempts,
    delaysMs: {
      busy: [5 * minute, 30 * minute],
      'no-answer': [5 * minute, 30 * minute],
      // Not the person's doing: our own process died while it rang.
      lost: [1 * minute],
    },
  }
}
