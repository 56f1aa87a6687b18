// Strict mode: what is wrong with a list, grouped by reason, instead of rows.
import { Refusal, type RowReason, rowReasons } from '../domain/refusal.ts'
import type { RejectedRow } from '../store/store.ts'

/** One group of the refusal's details.errors. */
export interface RowErrors {
  reason: string
  code: RowReason
  count: number
  /** Row numbers as the user sees them, the first hundred. */
  rows: number[]
}

/** Gathers bad rows. A duplicate is not one: it is left out and reported in both modes. */
export function openStrictReport() {
  const groups = new Map<RowReason, RowErrors>()
  const add = ({ code, status, rowNumber }: RejectedRow) => {
    if (status === 'duplicate') return
    const group = groups.get(code) ?? { reason: rowReasons[code], code, count: 0, rows: [] }
    group.count++
    if (group.rows.length < maxRowsListed) group.rows.push(rowNumber)
    groups.set(code, group)
  }
  /** `strict_rows`, or null when every row is good. */
  const refusal = (): Refusal | null => {
    const errors = [...groups.values()]
    if (errors.length === 0) return null
    const found = errors.map(({ count, reason }) => `${reason} (${count})`).join(', ')
    const sentence = `Some rows cannot be called: ${found}. Nothing was stored; mend the rows and send the file again.`
    return new Refusal('invalid', 'strict_rows', sentence, { errors })
  }
  return { add, refusal }
}

const maxRowsListed = 100
