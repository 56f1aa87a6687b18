// What a caller ID has done and may do: the calls that count towards its cap, its rest, and who calls for a batch.
import { type CallerRest, capWindowMs, restAfterFlag } from '../../domain/caller-choice.ts'
import { type CallerFigures, toCallerStanding } from '../caller-turns.ts'
import type { Lookups } from '../lookups.ts'
import type { Row } from '../rows.ts'
import type { BatchCaller } from '../running-batch.ts'
import type { Connection } from './connection.ts'

export interface CallerCalls {
  figures(now: number): CallerFigures
  /** Counts a call that is being placed; false: its number's cap is reached. Inside the transaction that places it. */
  place(caller: BatchCaller, attemptId: number, now: number): boolean
  /** A call that was placed and never left. */
  takeBack(row: Row): void
  /** The carrier says that the number is flagged: it rests. */
  flag(row: Row, cause: string, now: number): void
}

export function callerCalls(connection: Connection): CallerCalls {
  const selectCount = connection.prepare(
    'SELECT count(*) AS calls FROM caller_calls WHERE phone_number_id = ? AND placed_at > ?',
  )
  const nth = connection.prepare(
    `SELECT placed_at AS at FROM caller_calls WHERE phone_number_id = ? AND placed_at > ?
     ORDER BY placed_at LIMIT 1 OFFSET ?`,
  )
  const forget = connection.prepare('DELETE FROM caller_calls WHERE phone_number_id = ? AND placed_at <= ?')
  const insert = connection.prepare(
    'INSERT INTO caller_calls (phone_number_id, placed_at, attempt_id) VALUES (?, ?, ?)',
  )
  const remove = connection.prepare(
    'DELETE FROM caller_calls WHERE phone_number_id = ? AND placed_at = ? AND attempt_id = ?',
  )
  const selectRest = connection.prepare(
    'SELECT resting_until AS until, rest_ms AS ms FROM phone_numbers WHERE id = ? AND resting_until IS NOT NULL',
  )
  const setRest = connection.prepare('UPDATE phone_numbers SET resting_until = ?, rest_ms = ? WHERE id = ?')
  const countCalls = (phoneNumberId: number, now: number): number =>
    (selectCount.get(phoneNumberId, now - capWindowMs) as Row).calls

  return {
    figures: now => ({
      count: phoneNumberId => countCalls(phoneNumberId, now),
      cappedUntil({ phoneNumberId, maxCallsPerDay }) {
        if (maxCallsPerDay === null) return null
        const over = countCalls(phoneNumberId, now) - maxCallsPerDay
        if (over < 0) return null
        return (nth.get(phoneNumberId, now - capWindowMs, over) as Row).at + capWindowMs
      },
    }),
    place({ phoneNumberId, maxCallsPerDay }, attemptId, now) {
      if (maxCallsPerDay === null) return true
      forget.run(phoneNumberId, now - capWindowMs)
      if (countCalls(phoneNumberId, now) >= maxCallsPerDay) return false
      insert.run(phoneNumberId, now, attemptId)
      return true
    },
    takeBack: row => remove.run(row.phone_number_id, row.dialed_at, row.id),
    flag(row, cause, now) {
      const phoneNumberId = row.phone_number_id as number
      const before = (selectRest.get(phoneNumberId) as CallerRest | undefined) ?? null
      const { until, ms } = restAfterFlag(before, now)
      if (until === before?.until) return
      setRest.run(until, ms, phoneNumberId)
      const data = JSON.stringify({ phoneNumberId, until, cause })
      connection.emit(row.workspace_id, null, 'phone-number.resting', now, data)
      connection.workChanged()
    },
  }
}

export function callerStatements(connection: Connection): Pick<Lookups, 'listCallers'> {
  const calls = callerCalls(connection)
  const select = connection.prepare(
    `SELECT n.id AS phoneNumberId, n.e164, n.max_calls_per_day AS maxCallsPerDay, n.resting_until AS restingUntil
     FROM phone_numbers n JOIN batches b ON b.id = ?2 AND b.workspace_id = ?1
     WHERE n.id = b.phone_number_id OR n.id IN (SELECT phone_number_id FROM batch_callers WHERE batch_id = b.id)
     ORDER BY n.id`,
  )
  return {
    listCallers: async (workspaceId, batchId, now) =>
      select.all(workspaceId, batchId).map((row: Row) => toCallerStanding(row, calls.figures(now), now)),
  }
}
