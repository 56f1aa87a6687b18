// One call to one person: a batch of one, so that it keeps every promise a batch keeps.
import { createHash } from 'node:crypto'
import type { Batch } from '../domain/batch.ts'
import { Refusal } from '../domain/refusal.ts'
import type { Idempotency } from '../store/store.ts'
import { type CreateBatchRequest, type CreatedBatch, createBatch } from './create-batch.ts'
import type { Deps } from './deps.ts'

export interface CreateCallRequest
  extends Omit<CreateBatchRequest, 'source' | 'open' | 'startAs' | 'description' | 'call'> {
  /** The number under one of the list's phone columns; whatever else is in it becomes a variable of the call. */
  contact: Readonly<Record<string, unknown>>
  /** Kept and given back with the call. */
  metadata: Record<string, unknown> | null
  /** Refuse rather than wait when every place of the workspace is taken. */
  needsPlace: boolean
}

const defaultName = 'Call'

/**
 * Rings one person; the person's id is `recipientId(batch.id, 1)`. The same call (agent, contact, metadata, start) asked
 * for again within `repeatWindowMs` is the first one, unless an Idempotency-Key says that it is meant.
 *
 * Refusals: those of create-batch, `no_free_place` (too-many), `suppressed` (invalid), and why a number cannot be
 * called: `invalid_phone`, `unsupported_country`, `invalid_timezone` … (invalid).
 */
export async function createCall(
  deps: Deps,
  request: CreateCallRequest,
  idempotency?: Idempotency<Batch>,
): Promise<CreatedBatch> {
  const { contact, metadata, needsPlace, ...rest } = request
  const content = JSON.stringify([contact, metadata, request.scheduledAt])
  try {
    return await createBatch(
      deps,
      {
        ...rest,
        name: request.name ?? defaultName,
        description: null,
        source: {
          kind: 'contacts',
          contacts: [contact],
          sha256: createHash('sha256').update(content).digest('hex'),
        },
        open: false,
        startAs: 'running',
        call: { metadata, needsPlace },
      },
      idempotency,
    )
  } catch (error) {
    throw error instanceof Refusal && error.code === 'no_valid_contacts' ? reasonOf(error) : error
  }
}

/** Nobody counts the rows of a single call. */
function reasonOf({ details }: Refusal): Refusal {
  const [first] = details.reasons as { code: string; reason: string }[]
  if (first === undefined)
    return new Refusal('invalid', 'suppressed', 'The number is on the suppression list: it is never called.')
  return new Refusal('invalid', first.code, `This person cannot be called: ${first.reason}.`)
}
