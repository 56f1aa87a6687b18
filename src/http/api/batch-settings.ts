// What a create of ours may say beside the list, as JSON or as form fields, and the request that comes of it.
import { z } from 'zod'
import type { CreateBatchRequest } from '../../batches/create-batch.ts'
import { type CallersWanted, maxCallers } from '../../batches/find-callers.ts'
import { machinePolicies } from '../../domain/conversation.ts'
import { dispositions } from '../../domain/outcome.ts'
import { defaultRetryPolicy, type RetryPolicy } from '../../domain/retry.ts'
import { isIanaZone, resolveStart } from '../../domain/scheduled-start.ts'
import type { Workspace } from '../../domain/workspace.ts'
import type { ListRules } from '../../ingest/ingest.ts'
import type { HttpDeps } from '../dialect.ts'
import type { Form } from '../upload.ts'
import { fieldRefusal, readAs } from '../validation.ts'
import { phoneColumns } from './phone-columns.ts'
import { callingWindow, callsPerSecond, maxConcurrentCalls, nameText, ref, region } from './schema.ts'

const zoneColumns = ['timezone', 'time_zone']

const maxDescriptionLength = 1_000
const maxColumnLength = 200
const maxAttempts = 20
const maxDelays = 20
const maxDelayMs = 30 * 24 * 3_600_000
const ringTimeoutRangeMs = { min: 100, max: 600_000 }
const callRangeMs = { min: 1_000, max: 24 * 3_600_000 }

const retry = z.object({
  maxAttempts: z.int().min(1).max(maxAttempts).default(defaultRetryPolicy.maxAttempts),
  delaysMs: z
    .partialRecord(z.enum(dispositions), z.array(z.int().min(0).max(maxDelayMs)).max(maxDelays))
    .default({ ...defaultRetryPolicy.delaysMs } as Record<never, never>),
})

/** How the list is read: a create and an addition share it. */
export const listSettings = z.object({
  phoneColumn: z.string().trim().min(1).max(maxColumnLength).optional(),
  region: region.optional(),
  strict: z.boolean().default(false),
  timezone: z.string().default('UTC').refine(isIanaZone, 'must be an IANA time zone such as Asia/Kolkata'),
})

const batchSettings = listSettings.extend({
  name: nameText.optional(),
  description: z.string().trim().max(maxDescriptionLength).nullable().default(null),
  agentId: ref.nullable().default(null),
  phoneNumberId: ref.nullable().default(null),
  phoneNumberIds: z.array(ref).min(1).max(maxCallers).nullable().default(null),
  /** Call from every number of this trunk. */
  trunkId: ref.nullable().default(null),
  scheduledAt: z.string().nullable().default(null),
  startAs: z.enum(['running', 'draft']).default('running'),
  open: z.boolean().default(false),
  maxConcurrentCalls: maxConcurrentCalls.nullable().default(null),
  callsPerSecond: callsPerSecond.nullable().default(null),
  retry: retry.optional(),
  window: callingWindow.nullable().default(null),
  ringTimeoutMs: z.int().min(ringTimeoutRangeMs.min).max(ringTimeoutRangeMs.max).optional(),
  maxCallMs: z.int().min(callRangeMs.min).max(callRangeMs.max).optional(),
  record: z.boolean().default(false),
  trace: z.boolean().default(false),
  answeringMachine: z.enum(machinePolicies).default('off'),
})

export type BatchSettings = z.output<typeof batchSettings>

/** Settings from a JSON body or from a form's fields. Refusal `invalid_request`. */
export function readBatchSettings(sent: unknown): BatchSettings {
  return readAs(batchSettings, sent)
}

/**
 * Form fields as the JSON that they stand for: `settings` holds all of it as one JSON object, and fields of their own
 * win over it. What is no string in JSON (numbers, booleans, lists) is read as JSON where it can be.
 */
export function formSettings({ fields }: Pick<Form, 'fields'>): Record<string, unknown> {
  const { settings, ...others } = fields
  const read = settings === undefined ? {} : readJsonField('settings', settings)
  if (typeof read !== 'object' || read === null || Array.isArray(read))
    throw fieldRefusal([{ field: 'settings', message: 'must be a JSON object' }])
  const typed = Object.entries(others).map(([name, text]) => [
    name,
    jsonFields.has(name) && typeof text === 'string' ? parseLoosely(text) : text,
  ])
  return { ...read, ...Object.fromEntries(typed) }
}

const jsonFields: ReadonlySet<string> = new Set([
  'strict',
  'open',
  'phoneNumberIds',
  'maxConcurrentCalls',
  'callsPerSecond',
  'retry',
  'window',
  'ringTimeoutMs',
  'maxCallMs',
  'record',
  'trace',
])

function readJsonField(field: string, text: string | string[]): unknown {
  try {
    return JSON.parse(String(text))
  } catch {
    throw fieldRefusal([{ field, message: 'must be valid JSON' }])
  }
}

/** What is no JSON stays text, and the schema says what it should have been. */
function parseLoosely(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return text
  }
}

/** The use case's request but for the list. Refusal `invalid_request` where `scheduledAt` is no time. */
export function toCreateRequest(
  workspace: Workspace,
  settings: BatchSettings,
  config: HttpDeps['config'],
): Omit<CreateBatchRequest, 'source'> {
  const { agentId, phoneNumberId, scheduledAt, timezone, name, ringTimeoutMs, maxCallMs } = settings
  const { description, startAs, open, maxConcurrentCalls, callsPerSecond, window } = settings
  const { record, trace, answeringMachine } = settings
  const callers = readCallers(settings)
  return {
    workspace,
    dialect: 'outdial',
    agentRef: agentId,
    phoneNumberRef: phoneNumberId,
    ...(callers === null ? {} : { callers }),
    name: name ?? null,
    description,
    list: toListRules(settings, config),
    timezone,
    scheduledAt: scheduledAt === null ? null : readStart(scheduledAt, timezone),
    startAs,
    open,
    maxConcurrentCalls,
    callsPerSecond,
    window,
    record,
    trace,
    answeringMachine,
    retry: toRetryPolicy(settings.retry),
    ...(ringTimeoutMs === undefined ? {} : { ringTimeoutMs }),
    ...(maxCallMs === undefined ? {} : { maxCallMs }),
  }
}

/** One number, several, or all of a trunk: one way of saying it at a time. */
function readCallers({ phoneNumberId, phoneNumberIds, trunkId }: BatchSettings): CallersWanted | null {
  const said = { phoneNumberId, phoneNumberIds, trunkId }
  const [, second] = Object.entries(said).filter(([, value]) => value !== null)
  if (second !== undefined)
    throw fieldRefusal([{ field: second[0], message: `send only one of ${Object.keys(said).join(', ')}` }])
  if (phoneNumberIds !== null) return { phoneNumberRefs: phoneNumberIds }
  return trunkId === null ? null : { trunkRef: trunkId }
}

export function toListRules(
  settings: z.output<typeof listSettings>,
  config: Pick<HttpDeps['config'], 'maxUploadBytes' | 'maxRows'>,
): ListRules {
  return {
    formats: ['csv', 'xlsx', 'xls', 'json'],
    phoneColumns: settings.phoneColumn === undefined ? phoneColumns : [settings.phoneColumn],
    numbers: 'readable',
    region: settings.region ?? null,
    destinations: null,
    zoneColumns,
    fallbackZone: settings.timezone,
    mode: settings.strict ? 'strict' : 'lenient',
    refuseBadContact: false,
    maxBytes: config.maxUploadBytes,
    maxRows: config.maxRows,
  }
}

function readStart(text: string, timezone: string): number {
  const start = resolveStart(text, timezone)
  if ('at' in start) return start.at
  const message =
    'must be an ISO 8601 time such as 2030-01-31T09:00:00, with Z, an offset, or read in `timezone`'
  throw fieldRefusal([{ field: 'scheduledAt', message }])
}

/** A lost call is ours to repair: unless the client speaks of it, it keeps its delay. */
function toRetryPolicy(sent: z.output<typeof retry> | undefined): RetryPolicy {
  if (sent === undefined) return defaultRetryPolicy
  const { lost } = defaultRetryPolicy.delaysMs
  const delaysMs = Object.fromEntries(
    Object.entries({ lost, ...sent.delaysMs }).filter(([, delays]) => delays !== undefined),
  )
  return { maxAttempts: sent.maxAttempts, delaysMs }
}
