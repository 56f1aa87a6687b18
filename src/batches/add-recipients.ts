// More people for an open batch, whole or not at all.
import type { IngestCounts } from '../domain/batch.ts'
import { Refusal } from '../domain/refusal.ts'
import type { Workspace } from '../domain/workspace.ts'
import type { ListRules, ListSource } from '../ingest/ingest.ts'
import type { AcceptedRow, Idempotency, RejectedRow } from '../store/store.ts'
import type { Deps } from './deps.ts'
import { localListRules, noValidContacts, readList } from './read-list.ts'
import { findBatch } from './report-batch.ts'

export interface AddRecipientsRequest {
  workspace: Workspace
  batchId: number
  source: ListSource
  list: ListRules
}

/** One addition is one transaction, held in memory until it is whole: larger lists are batches of their own. */
export const maxAddedRows = 10_000

/**
 * Adds the list's good rows. Numbers that the batch has already are duplicates: an addition that was sent twice adds
 * nobody twice. Refusals: `batch_not_found`, `batch_not_open`, `wrong_status` (conflict), those of ingest, and
 * `no_valid_contacts` where every row is invalid.
 */
export async function addRecipients(
  deps: Deps,
  request: AddRecipientsRequest,
  idempotency?: Idempotency<IngestCounts>,
): Promise<IngestCounts> {
  const { store, clock } = deps
  const { workspace, batchId } = request
  const batch = await findBatch(deps, workspace.id, batchId)
  if (!batch.open)
    throw new Refusal(
      'conflict',
      'batch_not_open',
      'The batch is closed: only an open batch takes more recipients.',
    )
  const phoneNumber = await store.findPhoneNumber(workspace.id, String(batch.phoneNumberId))
  const trunk = await store.getTrunk(batch.trunkId)
  if (phoneNumber === null || trunk === null) throw new Error('A batch has no phone number or trunk')

  const accepted: AcceptedRow[] = []
  const rejected: RejectedRow[] = []
  const rules = localListRules(request.list, workspace, { phoneNumber, trunk })
  rules.maxRows = Math.min(rules.maxRows, maxAddedRows)
  const { rows, reasons } = await readList(request.source, rules, false, async (good, bad) => {
    accepted.push(...good)
    rejected.push(...bad)
  })
  if (accepted.length === 0) {
    const counts = { rows, accepted: 0, invalid: rejected.length, duplicate: 0, suppressed: 0 }
    throw noValidContacts(counts, reasons)
  }
  return store.addRecipients(workspace.id, batchId, accepted, rejected, rows, clock.now(), idempotency)
}
