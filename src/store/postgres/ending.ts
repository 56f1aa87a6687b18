// The life of an attempt after the dial: its progress, its end, and what that adds up to for batch and workspace.
import { firstCallsFailed, selfPauseRule } from '../../domain/pacing.ts'
import type { EndedAttempt, EndedResult } from '../dispatch-records.ts'
import type { DispatchStore } from '../dispatch-store.ts'
import { Ending, isLive, putBackJson, type Settled, settle, standingPutBack } from '../ended-attempts.ts'
import type { Row } from '../rows.ts'
import { tellAnswers } from './answered-events.ts'
import { flagCallers, forgetCalls } from './caller-calls.ts'
import type { Connection } from './connection.ts'
import { keepConversations } from './conversations.ts'
import { lockBatches, lockWorkspaces } from './locks.ts'
import { completeDone, ProgressChanges, setBatchStatus, waitingBatches } from './moves.ts'
import { dropRecipients, openColumns, parkCalls, putBackRecipients } from './open-attempts.ts'
import { keepTraces } from './traces.ts'
import type { Transaction } from './transaction.ts'
import { suppressNumbers } from './workspaces.ts'

export function endingStatements(
  connection: Connection,
): Pick<DispatchStore, 'recordProgress' | 'endAttempts' | 'countOpenAttempts'> {
  return {
    recordProgress: progress =>
      connection.write(async tx => {
        const answered = progress.filter(({ status }) => status === 'answered')
        const [, rows] = await Promise.all([
          tx.change(
            `UPDATE open_attempts SET status = 'ringing' WHERE id = ANY ($1::bigint[]) AND status = 'dialing'`,
            [progress.filter(({ status }) => status === 'ringing').map(({ attemptId }) => attemptId)],
          ),
          tx.rows(
            `UPDATE open_attempts o SET status = 'answered', answered_at = a.at
             FROM unnest($1::bigint[], $2::bigint[]) AS a (id, at)
             WHERE o.id = a.id AND o.status IN ('dialing', 'ringing')
             RETURNING o.id, o.workspace_id, o.batch_id, o.recipient_id, o.ordinal, o.answered_at`,
            [answered.map(({ attemptId }) => attemptId), answered.map(({ at }) => at)],
          ),
        ])
        await tellAnswers(
          tx,
          rows.map(row => ({ row, at: row.answered_at as number })),
        )
      }),

    endAttempts: (ended, now) => connection.write(tx => endAttempts(tx, ended, now)),

    async countOpenAttempts() {
      const row = await connection.row('SELECT count(*) AS open FROM open_attempts')
      return (row as Row).open
    },
  }
}

/** An ended attempt with its row of open_attempts. */
interface Closed {
  row: Row
  ended: EndedAttempt
  live: boolean
}

async function endAttempts(
  tx: Transaction,
  ended: readonly EndedAttempt[],
  now: number,
): Promise<EndedResult> {
  const { recorded, closed } = await close(tx, ended)
  const ending = new Ending(new ProgressChanges())
  await tellCallers(tx, closed)
  await returnUnspent(tx, closed, now, ending)
  await settleRecipients(tx, closed, ending)
  await keepTraces(
    tx,
    closed.flatMap(({ row, ended: { trace } }) =>
      trace === undefined
        ? []
        : [{ attemptId: row.id, workspaceId: row.workspace_id, batchId: row.batch_id, trace }],
    ),
  )
  const touched = await ending.changes.write(tx)
  await takeCredits(tx, ending.costs)
  const completed = [...(await suppressAll(tx, closed, now))]
  await pauseFailing(tx, ending.counted, now)
  completed.push(...(await completeDone(tx, touched, now)))
  return { completed, recorded }
}

/** Takes the locks, and each attempt out of the open ones; whoever ends it a second time is told so. */
async function close(
  tx: Transaction,
  ended: readonly EndedAttempt[],
): Promise<{ recorded: boolean[]; closed: Closed[] }> {
  const ids = ended.map(({ attemptId }) => attemptId)
  const suppressing = ended.filter(({ suppress }) => suppress).map(({ attemptId }) => attemptId)
  const found = await tx.rows(
    `SELECT id, workspace_id, batch_id, number FROM open_attempts WHERE id = ANY ($1::bigint[]) AND status <> 'claimed'`,
    [ids],
  )
  const batchIds = found.map(row => row.batch_id as number)
  for (const [workspaceId, numbers] of numbersByWorkspace(found.filter(row => suppressing.includes(row.id))))
    batchIds.push(...(await lockForSuppression(tx, workspaceId, numbers)))
  await lockBatches(tx, batchIds)
  const [removed, batches] = await Promise.all([
    tx.rows(
      `DELETE FROM open_attempts WHERE id = ANY ($1::bigint[]) AND status <> 'claimed' RETURNING ${openColumns}`,
      [ids],
    ),
    tx.rows('SELECT id, status FROM batches WHERE id = ANY ($1::bigint[])', [batchIds]),
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
  return { recorded, closed }
}

/** Workspaces come before batches in the order of locks, and all batches at once: those, too, where the numbers wait. */
async function lockForSuppression(
  tx: Transaction,
  workspaceId: number,
  numbers: readonly string[],
): Promise<number[]> {
  await lockWorkspaces(tx, [workspaceId])
  return waitingBatches(tx, workspaceId, numbers)
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

async function settleRecipients(
  tx: Transaction,
  closed: readonly Closed[],
  ending: Ending<ProgressChanges>,
): Promise<void> {
  const counted = closed
    .filter(({ ended }) => ended.next.kind !== 'put-back')
    .map(one => ({ ...one, settled: settle(one.row, one.ended, one.live) }))
  if (counted.length === 0) return
  // Answered and ended within one turn: nobody has told of the answer yet.
  await tellAnswers(
    tx,
    counted.flatMap(({ row, settled }) =>
      row.answered_at === null && settled.answeredAt !== null ? [{ row, at: settled.answeredAt }] : [],
    ),
  )
  for (const { row, ended, settled } of counted) {
    ending.settle(row, settled, ended.costMillicents)
    tx.emit(row.workspace_id, row.batch_id, 'attempt.ended', ended.endedAt, settled.eventJson)
  }
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

function insertEnded(tx: Transaction, counted: readonly (Closed & { settled: Settled })[]): Promise<unknown> {
  const rows = (column: string) => counted.map(({ row }) => row[column])
  const outcomes = counted.map(({ ended: { outcome } }) => outcome)
  return tx.change(
    `INSERT INTO attempts (id, workspace_id, batch_id, recipient_id, trunk_id, phone_number_id, ordinal, call_id,
       dialed_at, answered_at, ended_at, disposition, cause, sip_status, q850, fault, retryable, cost_millicents)
     SELECT * FROM unnest($1::bigint[], $2::bigint[], $3::bigint[], $4::bigint[], $5::bigint[], $6::bigint[], $7::integer[],
       $8::text[], $9::bigint[], $10::bigint[], $11::bigint[], $12::text[], $13::text[], $14::integer[], $15::integer[],
       $16::text[], $17::boolean[], $18::bigint[])`,
    [
      rows('id'),
      rows('workspace_id'),
      rows('batch_id'),
      rows('recipient_id'),
      rows('trunk_id'),
      rows('phone_number_id'),
      rows('ordinal'),
      rows('call_id'),
      rows('dialed_at'),
      counted.map(({ settled }) => settled.answeredAt),
      counted.map(({ ended }) => ended.endedAt),
      outcomes.map(({ disposition }) => disposition),
      outcomes.map(({ cause }) => cause),
      outcomes.map(({ sipStatus }) => sipStatus),
      outcomes.map(({ q850 }) => q850),
      outcomes.map(({ fault }) => fault),
      outcomes.map(({ retryable }) => retryable),
      counted.map(({ ended }) => ended.costMillicents),
    ],
  )
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
  counted: ReadonlyMap<number, number>,
  now: number,
): Promise<void> {
  if (counted.size === 0) return
  const running = await tx.rows(
    `SELECT b.id, b.workspace_id AS "workspaceId", p.ended_attempts AS "endedAttempts", p.failed_attempts AS "failedAttempts"
     FROM batch_progress p JOIN batches b ON b.id = p.batch_id WHERE b.id = ANY ($1::bigint[]) AND b.status = 'running'`,
    [[...counted.keys()]],
  )
  for (const { id, workspaceId, endedAttempts, failedAttempts } of running) {
    if (endedAttempts - (counted.get(id) ?? 0) >= selfPauseRule.sample) continue
    if (firstCallsFailed({ endedAttempts, failedAttempts }))
      await setBatchStatus(tx, { id, workspaceId }, 'paused', 'batch.paused', now, 'first_calls_failed')
  }
}
