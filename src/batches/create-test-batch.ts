// The batch of one that carries a test call: one attempt, its SIP messages kept, and nothing that rings a second time.
import { createHash } from 'node:crypto'
import type { Batch } from '../domain/batch.ts'
import { Refusal } from '../domain/refusal.ts'
import type { RetryPolicy } from '../domain/retry.ts'
import type { Workspace } from '../domain/workspace.ts'
import type { ListRules } from '../ingest/ingest.ts'
import { createBatch } from './create-batch.ts'
import type { Deps } from './deps.ts'
import type { Caller } from './find-caller.ts'

export interface TestBatch extends Caller {
  workspace: Workspace
  /** E.164. */
  number: string
  ringTimeoutMs: number
}

/** Long enough for a thank-you, short enough to forget about. */
const maxCallMs = 30_000
/** A carrier's "slow down" is an answer here, not a reason to ring again. */
const once: RetryPolicy = { maxAttempts: 1, delaysMs: {}, maxPutBacks: 0 }
/** The operator asked for this call just now and named the number: hours are theirs to judge. */
const always = [{ days: [1, 2, 3, 4, 5, 6, 7], from: '00:00', to: '24:00' }]

/** Refusals `number_suppressed`, `number_not_dialled`, and those of create-batch. */
export async function createTestBatch(deps: Deps, call: TestBatch): Promise<Batch> {
  const { workspace, agent, phoneNumber, trunk, number, ringTimeoutMs } = call
  const contacts = [{ phone: number }]
  const sha256 = createHash('sha256').update(JSON.stringify(contacts)).digest('hex')
  // Each test is meant: the last one within a minute is no repetition of it.
  const config = { ...deps.config, repeatWindowMs: 0 }
  try {
    const { batch } = await createBatch(
      { ...deps, config },
      {
        workspace,
        dialect: 'outdial',
        agentRef: String(agent.id),
        phoneNumberRef: String(phoneNumber.id),
        name: `Test of trunk ${trunk.name}`,
        description: null,
        source: { kind: 'contacts', contacts, sha256 },
        list: oneNumber,
        timezone: 'UTC',
        scheduledAt: null,
        startAs: 'running',
        open: false,
        maxConcurrentCalls: 1,
        callsPerSecond: null,
        retry: once,
        window: always,
        ringTimeoutMs,
        maxCallMs,
        trace: true,
      },
    )
    return batch
  } catch (error) {
    if (error instanceof Refusal && error.code === 'no_valid_contacts') throw notDialled(error)
    throw error
  }
}

const oneNumber: ListRules = {
  formats: ['json'],
  phoneColumns: ['phone'],
  numbers: 'e164',
  region: null,
  destinations: null,
  zoneColumns: [],
  fallbackZone: 'UTC',
  mode: 'lenient',
  refuseBadContact: false,
  maxBytes: 1_000,
  maxRows: 1,
}

function notDialled({ details, message }: Refusal): Refusal {
  const { suppressed } = details.counts as { suppressed: number }
  if (suppressed === 0) return new Refusal('invalid', 'number_not_dialled', message)
  return new Refusal(
    'conflict',
    'number_suppressed',
    'The number is on the suppression list: it is never rung, not even for a test.',
  )
}
