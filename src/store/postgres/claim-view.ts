// What a claim sees: the workspaces with anybody to call, locked, and then, in one trip, all that decides in them.
import type { Row } from '../rows.ts'
import type { RunningBatch } from '../running-batch.ts'
import { notHeld } from './hold.ts'
import { lockBatches, lockFound } from './locks.ts'
import { completeDone } from './moves.ts'
import { readDatabaseTime } from './nodes.ts'
import { runningBatches } from './rules.ts'
import type { Transaction } from './transaction.ts'

/** When a batch starts or a call comes back that no claim looks at before, epoch ms. */
async function nextStart(tx: Transaction, now: number): Promise<number | null> {
  const row = await tx.row(
    `SELECT least(min(scheduled_at) FILTER (WHERE status = 'scheduled'),
       min(parked_until) FILTER (WHERE status = 'running' AND parked_until > $1)) AS at
     FROM batches WHERE status IN ('scheduled', 'running') AND ${notHeld}`,
    [now],
  )
  return (row as Row).at
}

/** Workspaces with somebody to call or a batch to start; nobody else claims in them until the end of the transaction. */
export function lockBusyWorkspaces(tx: Transaction, now: number): Promise<number[]> {
  return lockFound(
    tx,
    `SELECT DISTINCT b.workspace_id::integer AS id FROM batches b JOIN batch_progress p ON p.batch_id = b.id
     WHERE (b.status = 'running' AND p.queued + p.waiting > 0 AND coalesce(b.parked_until, 0) <= $1)
       OR (b.status = 'scheduled' AND b.scheduled_at <= $1)`,
    [now],
  )
}

/** The newest of the events are looked through for those of a workspace. */
const newestEvents = 1_000

/** When something was last told of these workspaces, epoch ms; null: long ago. */
export async function lastChange(tx: Transaction, workspaceIds: readonly number[]): Promise<number | null> {
  const row = await tx.row(
    `SELECT max(at) AS at FROM (SELECT workspace_id, at FROM events ORDER BY id DESC LIMIT ${newestEvents}) newest
     WHERE workspace_id = ANY ($1::bigint[])`,
    [workspaceIds],
  )
  return (row as Row).at
}

interface View {
  storeNow: number
  /** When the next batch starts or call comes back, epoch ms. */
  next: number | null
  waiting: WaitingBatches
}

/** All that decides over a claim, read in one trip once the workspaces are locked; what is due to start is started first. */
export async function look(tx: Transaction, workspaceIds: readonly number[], now: number): Promise<View> {
  const seen = await read(tx, workspaceIds, now)
  if (seen.due.length === 0) return seen
  await startScheduled(tx, seen.due, now)
  return read(tx, workspaceIds, now)
}

async function read(
  tx: Transaction,
  workspaceIds: readonly number[],
  now: number,
): Promise<View & { due: Row[] }> {
  const [due, storeNow, next, waiting] = await Promise.all([
    tx.rows(
      `SELECT id FROM batches WHERE status = 'scheduled' AND scheduled_at <= $1 AND workspace_id = ANY ($2::bigint[])
         AND ${notHeld}`,
      [now, workspaceIds],
    ),
    readDatabaseTime(tx),
    nextStart(tx, now),
    readWaiting(tx, workspaceIds, now),
  ])
  return { due, storeNow, next, waiting }
}

async function startScheduled(tx: Transaction, due: readonly Row[], now: number): Promise<void> {
  const ids = due.map(row => row.id as number)
  await lockBatches(tx, ids)
  const started = await tx.rows(
    `UPDATE batches SET status = 'running', status_reason = NULL, updated_at = $1, started_at = coalesce(started_at, $1)
     WHERE id = ANY ($2::bigint[]) AND status = 'scheduled' RETURNING id, workspace_id`,
    [now, ids],
  )
  for (const { id, workspace_id: workspaceId } of started)
    tx.emit(workspaceId, id, 'batch.started', now, '{}')
  tx.workChanged()
  await completeDone(tx, ids, now)
}

/** Batches of these workspaces with somebody in the queue; a few more than are claimed for do no harm. */
const waitingIn = `SELECT b.id FROM batches b JOIN batch_progress p ON p.batch_id = b.id
  WHERE b.workspace_id = ANY ($1::bigint[]) AND b.status = 'running' AND p.queued + p.waiting > 0`

export interface WaitingBatches {
  /** Open attempts by what they are counted in. */
  open: Row[]
  /** How many wait in each batch. */
  queues: Row[]
  running: ReadonlyMap<number, RunningBatch>
}

async function readWaiting(
  tx: Transaction,
  workspaceIds: readonly number[],
  now: number,
): Promise<WaitingBatches> {
  const [open, queues, running] = await Promise.all([
    tx.rows(
      `SELECT workspace_id, trunk_id, phone_number_id, agent_id, batch_id, count(*) AS open,
         count(*) FILTER (WHERE status = 'claimed') AS claimed FROM open_attempts
       WHERE workspace_id = ANY ($1::bigint[]) GROUP BY workspace_id, trunk_id, phone_number_id, agent_id, batch_id`,
      [workspaceIds],
    ),
    tx.rows(
      `SELECT p.batch_id, p.queued, p.waiting FROM batches b JOIN batch_progress p ON p.batch_id = b.id
       WHERE b.status = 'running' AND p.queued + p.waiting > 0 AND coalesce(b.parked_until, 0) <= $2
         AND b.workspace_id = ANY ($1::bigint[]) ORDER BY b.id`,
      [workspaceIds, now],
    ),
    runningBatches(tx, { batchIds: waitingIn, ids: workspaceIds }),
  ])
  return { open, queues, running }
}
