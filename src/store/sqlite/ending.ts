// The life of an attempt after the dial: its progress, its end, and what that adds up to for batch and workspace.
import { firstCallsFailed, selfPauseRule } from '../../domain/pacing.ts'
import type { EndedAttempt, EndedResult } from '../dispatch-records.ts'
import { Ending, isLive, putBackJson, settle, standingPutBack } from '../ended-attempts.ts'
import type { Row } from '../rows.ts'
import type { Store } from '../store.ts'
import { answerTeller } from './answered-events.ts'
import { callerCalls } from './caller-calls.ts'
import type { Connection } from './connection.ts'
import { conversationWriter } from './conversations.ts'
import type { DueTimes } from './due-times.ts'
import { completeIfDone, ProgressChanges, setBatchStatus } from './moves.ts'
import { openAttempts } from './open-attempts.ts'
import { parking } from './parking.ts'
import { traceWriter } from './traces.ts'
import { suppressOne } from './workspaces.ts'

export function endingStatements(
  connection: Connection,
  dueTimes: DueTimes,
): Pick<Store, 'recordProgress' | 'endAttempts' | 'countOpenAttempts'> {
  const open = openAttempts(connection, dueTimes)
  const answers = answerTeller(connection)
  const setRinging = connection.prepare(
    `UPDATE open_attempts SET status = 'ringing' WHERE id = ? AND status = 'dialing'`,
  )
  const setAnswered = connection.prepare(
    `UPDATE open_attempts SET status = 'answered', answered_at = ? WHERE id = ? AND status IN ('dialing', 'ringing')`,
  )
  const insertEnded = connection.prepare(
    `INSERT INTO attempts (id, workspace_id, batch_id, recipient_id, trunk_id, phone_number_id, ordinal, call_id,
       dialed_at, answered_at, ended_at, disposition, cause, sip_status, q850, fault, retryable, cost_millicents)
     VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
  )
  const keepConversation = conversationWriter(connection)
  const keepTrace = traceWriter(connection)
  const countPutBack = connection.prepare(
    `UPDATE recipients SET put_backs = put_backs + 1, first_put_back_at = coalesce(first_put_back_at, ?) WHERE id = ?`,
  )
  const setSettled = connection.prepare(
    `UPDATE recipients SET standing = ?, attempts = attempts + 1, due_at = ?, finished_at = ?, last_attempt_id = ?
     WHERE id = ?`,
  )
  const parked = parking(connection)
  const callers = callerCalls(connection)
  const takeCredit = connection.prepare(
    'UPDATE workspaces SET credit_millicents = credit_millicents - ? WHERE id = ? AND credit_millicents IS NOT NULL',
  )

  return {
    recordProgress: progress =>
      connection.write(() => {
        const answersAreTold = answers.isWanted()
        for (const { attemptId, status, at } of progress) {
          if (status === 'ringing') setRinging.run(attemptId)
          else if (setAnswered.run(at, attemptId).changes > 0 && answersAreTold) tellAnswer(attemptId, at)
        }
      }),

    endAttempts: (ended, now) =>
      connection.write((): EndedResult => {
        const ending = new Ending(new ProgressChanges())
        const recorded = ended.map(one => end(one, now, ending))
        const touched = ending.changes.write(connection)
        for (const [workspaceId, cost] of ending.costs) takeCredit.run(cost, workspaceId)
        for (const batchId of ending.counted.keys())
          pauseIfFailing(batchId, ending.counted.get(batchId) ?? 0, now)
        const completed = [
          ...ending.completed,
          ...touched.filter(batchId => completeIfDone(connection, batchId, now)),
        ]
        return { completed, recorded }
      }),

    countOpenAttempts: async () =>
      Number((connection.prepare('SELECT count(*) AS open FROM open_attempts').get() as Row).open),
  }

  function tellAnswer(attemptId: number, at: number): void {
    const row = open.find(attemptId)
    if (row !== undefined) answers.tell(row, at)
  }

  function end(ended: EndedAttempt, now: number, ending: Ending<ProgressChanges>): boolean {
    const row = open.find(ended.attemptId)
    if (row === undefined || row.status === 'claimed') return false
    open.remove(row.id)
    if (ended.trace !== undefined) keepTrace(row, ended.trace)
    if (ended.next.kind === 'put-back' && !ended.next.throttled) callers.takeBack(row)
    if (ended.callerFlagged === true) callers.flag(row, ended.outcome.cause, ended.endedAt)
    const live = isLive(open.statusOfBatch(row.batch_id))
    if (ended.next.kind === 'put-back') returnUnspent(row, ended, ended.next, live, now, ending)
    else settleRecipient(row, ended, live, ending)
    if (ended.suppress)
      suppressOne(connection, row.workspace_id, row.number, 'the person said no', now, ending.completed)
    return true
  }

  function returnUnspent(
    row: Row,
    ended: EndedAttempt,
    next: { dueAt: number; throttled: boolean },
    live: boolean,
    now: number,
    ending: Ending<ProgressChanges>,
  ): void {
    const standing = standingPutBack(row, live)
    if (standing === 'cancelled') open.dropRecipient(row.recipient_id, standing, now)
    else {
      if (next.throttled) countPutBack.run(now, row.recipient_id)
      open.putBack(row, standing, next.dueAt)
    }
    ending.putBack(row, standing)
    const data = putBackJson(row, ended, next.dueAt)
    connection.emit(row.workspace_id, row.batch_id, 'attempt.put-back', ended.endedAt, data)
  }

  function settleRecipient(
    row: Row,
    ended: EndedAttempt,
    live: boolean,
    ending: Ending<ProgressChanges>,
  ): void {
    const { outcome, endedAt, costMillicents } = ended
    const settled = settle(row, ended, live)
    // Answered and ended within one turn: nobody has told of the answer yet.
    if (row.answered_at === null && settled.answeredAt !== null) answers.tell(row, settled.answeredAt)
    insertEnded.run(
      row.id,
      row.workspace_id,
      row.batch_id,
      row.recipient_id,
      row.trunk_id,
      row.phone_number_id,
      row.ordinal,
      row.call_id,
      row.dialed_at,
      settled.answeredAt,
      endedAt,
      outcome.disposition,
      outcome.cause,
      outcome.sipStatus,
      outcome.q850,
      outcome.fault,
      outcome.retryable ? 1 : 0,
      costMillicents,
    )
    if (ended.conversation !== undefined) keepConversation(row.id, row.batch_id, ended.conversation)
    const { standing, retryAt, finishedAt } = settled
    setSettled.run(standing, retryAt, finishedAt, row.id, row.recipient_id)
    if (retryAt !== null) {
      parked.park(row.batch_id, retryAt)
      dueTimes.lower(row.batch_id, 'waiting', row.zone, retryAt)
    }
    ending.settle(row, settled, costMillicents)
    connection.emit(row.workspace_id, row.batch_id, 'attempt.ended', endedAt, settled.eventJson)
  }

  /** Asked once, when the sample is full: who resumes such a batch has decided. */
  function pauseIfFailing(batchId: number, counted: number, now: number): void {
    const progress = connection
      .prepare(
        `SELECT p.ended_attempts AS endedAttempts, p.failed_attempts AS failedAttempts, b.workspace_id AS workspaceId
         FROM batch_progress p JOIN batches b ON b.id = p.batch_id WHERE b.id = ? AND b.status = 'running'`,
      )
      .get(batchId) as { endedAttempts: number; failedAttempts: number; workspaceId: number } | undefined
    if (progress === undefined || progress.endedAttempts - counted >= selfPauseRule.sample) return
    if (firstCallsFailed(progress)) {
      const { workspaceId } = progress
      setBatchStatus(
        connection,
        { id: batchId, workspaceId },
        'paused',
        'batch.paused',
        now,
        'first_calls_failed',
      )
    }
  }
}
