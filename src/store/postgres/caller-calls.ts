// What a caller ID has done and may do: the calls that count towards its cap, its rest, and who calls for a batch.
import { type CallerRest, capWindowMs, restAfterFlag } from '../../domain/caller-choice.ts'
import { type CallerFigures, toCallerStanding } from '../caller-turns.ts'
import type { Lookups } from '../lookups.ts'
import type { Row } from '../rows.ts'
import type { BatchCaller } from '../running-batch.ts'
import type { Connection } from './connection.ts'
import type { Reader, Transaction } from './transaction.ts'

/** Of those among the numbers that have a cap. It is reached where there is a call that is as many calls ago. */
export async function readFigures(
  reader: Reader,
  callers: Iterable<Pick<BatchCaller, 'phoneNumberId' | 'maxCallsPerDay'>>,
  now: number,
): Promise<CallerFigures> {
  const caps = new Map<number, number>()
  for (const { phoneNumberId, maxCallsPerDay } of callers)
    if (maxCallsPerDay !== null) caps.set(phoneNumberId, maxCallsPerDay)
  const rows =
    caps.size === 0
      ? []
      : await reader.rows(
          `SELECT c.id, (SELECT count(*) FROM caller_calls WHERE phone_number_id = c.id AND placed_at > $3) AS calls,
             (SELECT placed_at FROM caller_calls WHERE phone_number_id = c.id AND placed_at > $3
              ORDER BY placed_at DESC LIMIT 1 OFFSET c.cap - 1) AS capped_by
           FROM unnest($1::bigint[], $2::bigint[]) AS c (id, cap)`,
          [[...caps.keys()], [...caps.values()], now - capWindowMs],
        )
  const byId = new Map(rows.map(row => [row.id as number, row]))
  return {
    count: phoneNumberId => byId.get(phoneNumberId)?.calls ?? 0,
    cappedUntil({ phoneNumberId }) {
      const at: number | null = byId.get(phoneNumberId)?.capped_by ?? null
      return at === null ? null : at + capWindowMs
    },
  }
}

/** Calls that are being placed, counted one by one against the caps; written at the end of the group. */
export class PlacedCalls {
  readonly #figures: CallerFigures
  readonly #changes = new Map<number, number>()
  readonly #placed = new Map<number, Row>()
  readonly #takenBack: Row[] = []

  constructor(figures: CallerFigures) {
    this.#figures = figures
  }

  /** False: the number's cap is reached. */
  place({ phoneNumberId, maxCallsPerDay }: BatchCaller, row: Row): boolean {
    if (maxCallsPerDay === null) return true
    const change = this.#changes.get(phoneNumberId) ?? 0
    if (this.#figures.count(phoneNumberId) + change >= maxCallsPerDay) return false
    this.#changes.set(phoneNumberId, change + 1)
    this.#placed.set(row.id, row)
    return true
  }

  /** A call that was placed and never left. */
  takeBack({ maxCallsPerDay, phoneNumberId }: BatchCaller, row: Row): void {
    if (maxCallsPerDay === null) return
    this.#changes.set(phoneNumberId, (this.#changes.get(phoneNumberId) ?? 0) - 1)
    if (!this.#placed.delete(row.id)) this.#takenBack.push(row)
  }

  async write(tx: Transaction, now: number): Promise<void> {
    await forgetCalls(tx, this.#takenBack)
    const placed = [...this.#placed.values()]
    if (placed.length === 0) return
    const from = placed.map(row => row.phone_number_id)
    await tx.change(
      'DELETE FROM caller_calls WHERE phone_number_id = ANY ($1::bigint[]) AND placed_at <= $2',
      [from, now - capWindowMs],
    )
    await tx.change(
      `INSERT INTO caller_calls (phone_number_id, placed_at, attempt_id)
       SELECT c.phone_number_id, $3, c.attempt_id FROM unnest($1::bigint[], $2::bigint[]) AS c (phone_number_id, attempt_id)`,
      [from, placed.map(row => row.id), now],
    )
  }
}

/** Calls that were placed and never left. `rows`: of open_attempts. */
export async function forgetCalls(tx: Transaction, rows: readonly Row[]): Promise<void> {
  if (rows.length === 0) return
  await tx.change(
    `DELETE FROM caller_calls c USING unnest($1::bigint[], $2::bigint[], $3::bigint[]) AS t (phone_number_id, placed_at, id)
     WHERE c.phone_number_id = t.phone_number_id AND c.placed_at = t.placed_at AND c.attempt_id = t.id`,
    [rows.map(row => row.phone_number_id), rows.map(row => row.dialed_at), rows.map(row => row.id)],
  )
}

/** The carrier says that these attempts' numbers are flagged: they rest. */
export async function flagCallers(
  tx: Transaction,
  flags: readonly { row: Row; cause: string; at: number }[],
): Promise<void> {
  const inOrder = flags.toSorted((one, other) => one.row.phone_number_id - other.row.phone_number_id)
  for (const { row, cause, at } of inOrder) {
    const phoneNumberId: number = row.phone_number_id
    const rest = await tx.row(
      'SELECT resting_until AS until, rest_ms AS ms FROM phone_numbers WHERE id = $1 FOR UPDATE',
      [phoneNumberId],
    )
    const before = rest === undefined || rest.until === null ? null : (rest as CallerRest)
    const { until, ms } = restAfterFlag(before, at)
    if (until === before?.until) continue
    await tx.change('UPDATE phone_numbers SET resting_until = $2, rest_ms = $3 WHERE id = $1', [
      phoneNumberId,
      until,
      ms,
    ])
    const data = JSON.stringify({ phoneNumberId, until, cause })
    tx.emit(row.workspace_id, null, 'phone-number.resting', at, data)
    tx.workChanged()
  }
}

export function callerStatements(connection: Connection): Pick<Lookups, 'listCallers'> {
  return {
    listCallers: (workspaceId, batchId, now) =>
      connection.snapshot(async reader => {
        const rows = await reader.rows(
          `SELECT n.id AS "phoneNumberId", n.e164, n.max_calls_per_day AS "maxCallsPerDay", n.resting_until AS "restingUntil"
           FROM phone_numbers n JOIN batches b ON b.id = $2 AND b.workspace_id = $1
           WHERE n.id = b.phone_number_id OR n.id IN (SELECT phone_number_id FROM batch_callers WHERE batch_id = b.id)
           ORDER BY n.id`,
          [workspaceId, batchId],
        )
        const figures = await readFigures(reader, rows as unknown as BatchCaller[], now)
        return rows.map(row => toCallerStanding(row, figures, now))
      }),
  }
}
