// The two locks under which everything moves, and the one order in which they are taken.
//
// 1. The workspace: rules, limits, counts of open attempts. Claims, the check before the dial and whatever changes what
//    they are decided by (stops, suppressions, moves of a batch) exclude each other by it, so a pause that was answered
//    holds for the next INVITE, and a limit is counted in a statement of its own once nobody else can claim. It has two
//    halves: claims take the first, changes both. The check before the dial shares the second half with its like, beside
//    claims, as long as nothing is rationed among calls that have their places already (see placing.ts).
// 2. The batch, by its row of batch_progress: its counters, its status, and its recipients. Ends and imports need no more.
//
// Workspaces in order of id, then batches in order of id, then everything else: nobody waits in a circle. Claims and the
// check before the dial take batches last of all, with their commit: they alone move people out of the queue and claims to
// calls, and they hold the workspace. Measured on one node (20,000 calls of no length): a third of the time that statements
// took was spent waiting for batches that were locked from the beginning.
import type { Transaction } from './transaction.ts'

/** The classes of our advisory locks, one for each half: 'outd' and 'outp' in ASCII. */
const claimHalf = 0x6f757464
const dialHalf = 0x6f757470

/** Those that the query finds (`id`, in order), which it returns, until the end of the transaction. */
export async function lockFound(
  tx: Transaction,
  query: string,
  values: readonly unknown[],
): Promise<number[]> {
  const rows = await tx.rows(
    `SELECT id, pg_advisory_xact_lock(${claimHalf}, id) FROM (${query} ORDER BY 1) w`,
    values,
  )
  return rows.map(row => row.id as number)
}

/** Both halves, until the end of the transaction. */
export async function lockWorkspaces(tx: Transaction, workspaceIds: readonly number[]): Promise<void> {
  const ids = [...new Set(workspaceIds)].sort((one, other) => one - other)
  const lock = (half: number) =>
    tx.rows('SELECT pg_advisory_xact_lock($1, id) FROM unnest($2::integer[]) AS id', [half, ids])
  await Promise.all([lock(claimHalf), lock(dialHalf)])
}

/** How the check before the dial holds its workspaces: beside claims and its like, or alone. */
export type DialLock = 'shared' | 'alone'

/** Those of these open attempts, until the end of the transaction. */
export async function lockForDial(
  tx: Transaction,
  attemptIds: readonly number[],
  how: DialLock,
): Promise<void> {
  const lock = (kind: string, half: number) =>
    tx.rows(
      `SELECT ${kind}(${half}, id) FROM (
         SELECT DISTINCT workspace_id::integer AS id FROM open_attempts WHERE id = ANY ($1::bigint[]) ORDER BY 1) w`,
      [attemptIds],
    )
  await Promise.all([
    how === 'alone' ? lock('pg_advisory_xact_lock', claimHalf) : null,
    lock(how === 'alone' ? 'pg_advisory_xact_lock' : 'pg_advisory_xact_lock_shared', dialHalf),
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

/** Those that a subquery of batch ids finds. */
export async function lockBatchesIn(
  tx: Transaction,
  batchIds: string,
  values: readonly unknown[],
): Promise<void> {
  await tx.rows(
    `SELECT FROM batch_progress WHERE batch_id = ANY (ARRAY(${batchIds})) ORDER BY batch_id FOR UPDATE`,
    values,
  )
}

export const lockBatch = (tx: Transaction, batchId: number): Promise<void> => lockBatches(tx, [batchId])
