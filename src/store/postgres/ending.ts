// The life of an attempt after the dial: its progress, its end, and what that adds up to for batch and workspace.
import { firstCallsFailed, selfPauseRule } from '../../domain/pacing.ts'
import type { EndedAttempt, EndedResult } from '../dispatch-records.ts'
import type { DispatchStore } from '../dispatch-store.ts'
import { Ending, isLive, putBackJson, settle, standingPutBack } from '../ended-attempts.ts'
import type { Row } from '../rows.ts'
import { tellAnswers, wantingAnswers } from './answered-events.ts'
import { flagCallers, forgetCalls } from './caller-calls.ts'
import type { Connection } from './connection.ts'
import { keepConversations } from './conversations.ts'
import { type Closed, type Counted, insertEnded } from './insert-ended.ts'
import { lockBatches, lockBatchesIn, lockWorkspaces } from './locks.ts'
import {
  completeTouched,
  ProgressChanges,
  setBatchStatus,
  type TouchedBatch,
  waitingBatches,
} from './moves.ts'
import { dropRecipients, openColumns, parkCalls, putBackRecipients } from './open-attempts.ts'
import { type KeptTrace, keepTraces } from './traces.ts'
import type { Transaction } from './transaction.ts'
import { openAttemptsCleaner } from './vacuum.ts'
import { suppressNumbers } from './workspaces.ts'

export function endingStatements(
  connection: Connection,
): Pick<DispatchStore, 'recordProgress' | 'endAttempts' | 'countOpenAttempts'> {
  const cleanAfter = openAttemptsCleaner(connection)
  return {
    recordProgress: progress =>
      connection.write(async tx => {
        const answered = progress.filter(({ status }) => status === 'answered')
        const ringing = progress.filter(({ status }) => status === 'ringing')
        const [, rows] = await Promise.all([
          ringing.length > 0 &&
            tx.change(
              `UPDATE open_attempts SET status = 'ringing' WHERE id = ANY ($1::bigint[]) AND status = 'dialing'`,
              [ringing.map(({ attemptId }) => attemptId)],
            ),
          tx.rows(
            `UPDATE open_attempts o SET status = 'answered', answered_at = a.at
             FROM unnest($1::bigint[], $2::bigint[]) AS a (id, at)
             WHERE o.id = a.id AND o.status IN ('dialing', 'ringing')
             RETURNING o.id, o.workspace_id, o.batch_id, o.recipient_id, o.ordinal, o.answered_at`,
            [answered.map(({ attemptId }) => attemptId), answered.map(({ at }) => at)],
          ),
        ])
        if (rows.length === 0) return
        tellAnswers(
          tx,
          rows.map(row => ({ row, at: row.answered_at as number })),
          await wantingAnswers(tx),
        )
      }),

    async endAttempts(ended, now) {
      const result = await connection.write(tx => endAttempts(tx, ended, now))
      cleanAfter(ended.length)
      return result
    },

    async countOpenAttempts() {
      const row = await connection.row('SELECT count(*) AS open FROM open_attempts')
      return (row as Row).open
    },
  }
}

async function endAttempts(
  tx: Transaction,
  ended: readonly EndedAttempt[],
  now: number,
): Promise<EndedResult> {
  const { recorded, closed, wanting } = await close(tx, ended)
  const ending = new Ending(new ProgressChanges())
  const settled = closed
    .filter(({ ended: { next } }) => next.kind !== 'put-back')
    .map(one => ({ ...one, settled: settle(one.row, one.ended, one.live) }))
  tellOf(tx, settled, wanting)
  for (const { row, ended: one, settled: how } of settled) ending.settle(row, how, one.costMillicents)
  const [touched] = await Promise.all([
    returnUnspent(tx, closed, now, ending).then(() => ending.changes.write(tx)),
    settleRecipients(tx, settled),
    tellCallers(tx, closed),
    keepTraces(tx, tracesOf(closed)),
    takeCredits(tx, ending.costs),
  ])
  const completed = await suppressAll(tx, closed, now)
  await pauseFailing(tx, touched, ending.counted, now)
  completed.push(...(await completeTouched(tx, touched, now)))
  return { completed, recorded }
}

/**
 * Takes the locks, and each attempt out of the open ones, in one trip; whoever ends it a second time is told so.
 * `wanting`: workspaces that want to hear of answers.
 */
async function close(
  tx: Transaction,
  ended: readonly EndedAttempt[],
): Promise<{ recorded: boolean[]; closed: Closed[]; wanting: ReadonlySet<number> }> {
  const ids = ended.map(({ attemptId }) => attemptId)
  const suppressing = ended.filter(({ suppress }) => suppress).map(({ attemptId }) => attemptId)
  if (suppressing.length > 0) await lockForSuppressions(tx, ids, suppressing)
  const ofThese = `SELECT batch_id FROM open_attempts WHERE id = ANY ($1::bigint[]) AND status <> 'claimed'`
  const [, batches, removed, wanting] = await Promise.all([
    lockBatchesIn(tx, ofThese, [ids]),
    tx.rows(`SELECT id, status FROM batches WHERE id = ANY (ARRAY(${ofThese}))`, [ids]),
    tx.rows(
      `DELETE FROM open_attempts WHERE id = ANY ($1::bigint[]) AND status <> 'claimed' RETURNING ${openColumns}`,
      [ids],
    ),
    wantingAnswers(tx),
  ])
  const rowOf = new Map(removed.map(row => [row.id as number, row]))
  const statusOf = new Map(batches.map(row => [row.id as number, row.status as string]))
  const closed: Closed[] = []
  const recorded = ended.map(one => {
    const row = rowOf.get(one.attemptId)
    if (row === undefined) return false
    rowOf.delete(one.attemptId)
    closed.push({ row, ended: one, live: isLive(statusOf.get(row.batch_id) ?? 'cancelled') })
    return true
  })
  return { recorded, closed, wanting }
}

/** Workspaces come before batches in the order of locks, and all batches at once: those, too, where the numbers wait. */
async function lockForSuppressions(
  tx: Transaction,
  ids: readonly number[],
  suppressing: readonly number[],
): Promise<void> {
  const found = await tx.rows(
    `SELECT id, workspace_id, batch_id, number FROM open_attempts WHERE id = ANY ($1::bigint[]) AND status <> 'claimed'`,
    [ids],
  )
  const batchIds = found.map(row => row.batch_id as number)
  const said = numbersByWorkspace(found.filter(row => suppressing.includes(row.id)))
  await lockWorkspaces(
    tx,
    said.map(([workspaceId]) => workspaceId),
  )
  for (const [workspaceId, numbers] of said)
    batchIds.push(...(await waitingBatches(tx, workspaceId, numbers)))
  await lockBatches(tx, batchIds)
}

/** In order of workspace. */
function numbersByWorkspace(rows: readonly Row[]): [number, string[]][] {
  const byWorkspace = Map.groupBy(rows, row => row.workspace_id as number)
  return [...byWorkspace]
    .sort(([one], [other]) => one - other)
    .map(([workspaceId, group]) => [workspaceId, group.map(row => row.number as string)])
}

/** What the calls say of the numbers that they were made from. */
async function tellCallers(tx: Transaction, closed: readonly Closed[]): Promise<void> {
  const neverLeft = closed.filter(({ ended: { next } }) => next.kind === 'put-back' && !next.throttled)
  await forgetCalls(
    tx,
    neverLeft.map(({ row }) => row),
  )
  const flagged = closed.filter(({ ended }) => ended.callerFlagged === true)
  await flagCallers(
    tx,
    flagged.map(({ row, ended }) => ({ row, cause: ended.outcome.cause, at: ended.endedAt })),
  )
}

async function returnUnspent(
  tx: Transaction,
  closed: readonly Closed[],
  now: number,
  ending: Ending<ProgressChanges>,
): Promise<void> {
  const dropped: Row[] = []
  const returned: Parameters<typeof putBackRecipients>[1][number][] = []
  for (const { row, ended, live } of closed) {
    const { next } = ended
    if (next.kind !== 'put-back') continue
    const standing = standingPutBack(row, live)
    if (standing === 'cancelled') dropped.push(row)
    else returned.push({ row, standing, dueAt: next.dueAt, throttledAt: next.throttled ? now : null })
    ending.putBack(row, standing)
    const data = putBackJson(row, ended, next.dueAt)
    tx.emit(row.workspace_id, row.batch_id, 'attempt.put-back', ended.endedAt, data)
  }
  await dropRecipients(tx, dropped, 'cancelled', now)
  await putBackRecipients(tx, returned)
}

/** Answered and ended within one turn: nobody has told of the answer yet. */
function tellOf(tx: Transaction, counted: readonly Counted[], wanting: ReadonlySet<number>): void {
  const answers = counted.flatMap(({ row, settled }) =>
    row.answered_at === null && settled.answeredAt !== null ? [{ row, at: settled.answeredAt }] : [],
  )
  tellAnswers(tx, answers, wanting)
  for (const { row, ended, settled } of counted)
    tx.emit(row.workspace_id, row.batch_id, 'attempt.ended', ended.endedAt, settled.eventJson)
}

const tracesOf = (closed: readonly Closed[]): KeptTrace[] =>
  closed.flatMap(({ row, ended: { trace } }) =>
    trace === undefined
      ? []
      : [{ attemptId: row.id, workspaceId: row.workspace_id, batchId: row.batch_id, trace }],
  )

async function settleRecipients(tx: Transaction, counted: readonly Counted[]): Promise<void> {
  if (counted.length === 0) return
  await Promise.all([
    parkCalls(
      tx,
      counted.flatMap(({ row, settled: { retryAt } }) =>
        retryAt === null ? [] : [{ batchId: row.batch_id as number, until: retryAt }],
      ),
    ),
    insertEnded(tx, counted),
    tx.change(
      `UPDATE recipients r SET standing = s.standing, attempts = r.attempts + 1, due_at = s.due_at,
         finished_at = s.finished_at, last_attempt_id = s.attempt_id
       FROM unnest($1::bigint[], $2::text[], $3::bigint[], $4::bigint[], $5::bigint[])
         AS s (id, standing, due_at, finished_at, attempt_id)
       WHERE r.id = s.id`,
      [
        counted.map(({ row }) => row.recipient_id),
        counted.map(({ settled }) => settled.standing),
        counted.map(({ settled }) => settled.retryAt),
        counted.map(({ settled }) => settled.finishedAt),
        counted.map(({ row }) => row.id),
      ],
    ),
    keepConversations(
      tx,
      counted.flatMap(({ row, ended: { conversation } }) =>
        conversation === undefined ? [] : [{ attemptId: row.id, batchId: row.batch_id, conversation }],
      ),
    ),
  ])
}

async function takeCredits(tx: Transaction, costs: ReadonlyMap<number, number>): Promise<void> {
  const sorted = [...costs].sort(([one], [other]) => one - other)
  for (const [workspaceId, cost] of sorted)
    await tx.change(
      'UPDATE workspaces SET credit_millicents = credit_millicents - $2 WHERE id = $1 AND credit_millicents IS NOT NULL',
      [workspaceId, cost],
    )
}

/** People who said no; returns the batches that completed because their last number was suppressed. */
async function suppressAll(tx: Transaction, closed: readonly Closed[], now: number): Promise<number[]> {
  const completed: number[] = []
  const rows = closed.filter(({ ended }) => ended.suppress).map(({ row }) => row)
  for (const [workspaceId, numbers] of numbersByWorkspace(rows)) {
    completed.push(...(await suppressNumbers(tx, workspaceId, numbers, 'the person said no', now)))
    tx.workChanged('this-node')
  }
  return completed
}

/** Asked once, when the sample is full: who resumes such a batch has decided. */
async function pauseFailing(
  tx: Transaction,
  touched: readonly TouchedBatch[],
  counted: ReadonlyMap<number, number>,
  now: number,
): Promise<void> {
  const failing = touched.filter(
    batch =>
      batch.endedAttempts - (counted.get(batch.id) ?? 0) < selfPauseRule.sample && firstCallsFailed(batch),
  )
  if (failing.length === 0) return
  const running = await tx.rows(
    `SELECT id, workspace_id AS "workspaceId" FROM batches WHERE id = ANY ($1::bigint[]) AND status = 'running'`,
    [failing.map(({ id }) => id)],
  )
  for (const { id, workspaceId } of running)
    await setBatchStatus(tx, { id, workspaceId }, 'paused', 'batch.paused', now, 'first_calls_failed')
}
