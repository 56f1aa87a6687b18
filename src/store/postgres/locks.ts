// The two locks under which everything moves, and the one order in which they are taken.
//
// 1. The workspace: rules, limits, counts of open attempts. Claims, the check before the dial and whatever changes what
//    they are decided by (stops, suppressions, moves of a batch) exclude each other by it, so a pause that was answered
//    holds for the next INVITE, and a limit is counted in a statement of its own once nobody else can claim.
// 2. The batch, by its row of batch_progress: its counters, its status, and its recipients. Ends and imports need no more.
//
// Workspaces in order of id, then batches in order of id, then everything else: nobody waits in a circle. A claim takes
// batches last of all; it alone moves people out of the queue, and it holds the workspace.
import type { Transaction } from './transaction.ts'

/** The class of our advisory locks: 'outd' in ASCII. */
const lockClass = 0x6f757464

/** Until the end of the transaction. */
export async function lockWorkspaces(tx: Transaction, workspaceIds: readonly number[]): Promise<void> {
  await tx.rows('SELECT pg_advisory_xact_lock($1, id) FROM unnest($2::integer[]) AS id', [
    lockClass,
    [...new Set(workspaceIds)].sort((one, other) => one - other),
  ])
}

export const lockWorkspace = (tx: Transaction, workspaceId: number): Promise<void> =>
  lockWorkspaces(tx, [workspaceId])

/** Until the end of the transaction; batches that are gone are passed over. */
export async function lockBatches(tx: Transaction, batchIds: readonly number[]): Promise<void> {
  await tx.rows(
    'SELECT FROM batch_progress WHERE batch_id = ANY ($1::bigint[]) ORDER BY batch_id FOR UPDATE',
    [batchIds],
  )
}

export const lockBatch = (tx: Transaction, batchId: number): Promise<void> => lockBatches(tx, [batchId])
