// What the readers of CSV, XLSX and XLS have in common: rows of cells with the number that the user sees.
import { Refusal } from '../domain/refusal.ts'

/** Numbers stay numbers only where the file says that they are (a spreadsheet); dates and truth values come as text. */
export type Cell = string | number | null

/** Called for every row that is not wholly blank, the header first; `rowNumber` is the spreadsheet's. */
export type VisitRow = (rowNumber: number, cells: readonly Cell[]) => void

export function isBlankRow(cells: readonly Cell[]): boolean {
  return cells.every(cell => cell === null || (typeof cell === 'string' && cell.trim() === ''))
}

/** A cell as the text that a CSV of the same table would hold. Excel shows 15 digits, and so do we. */
export function cellText(cell: Cell | undefined): string {
  if (cell === null || cell === undefined) return ''
  if (typeof cell === 'string') return cell
  return String(Number.isSafeInteger(cell) ? cell : Number(cell.toPrecision(15)))
}

/** A date cell as ISO 8601 text without a zone: `2024-03-01`, or `2024-03-01T09:30:00` when it has a time of day. */
export function dateText(utcMs: number): string {
  // Spreadsheets count days as binary fractions: 9:30 arrives as 9:29:59.999.
  const text = new Date(Math.round(utcMs / 1000) * 1000).toISOString()
  return text.endsWith('T00:00:00.000Z') ? text.slice(0, 10) : text.slice(0, 19)
}

/** The reader's own error as a refusal. The reader's words stay out: they speak of XML to people with a spreadsheet. */
export function unreadable(what: string): Refusal {
  return new Refusal(
    'invalid',
    'invalid_csv',
    `The ${what} cannot be read. Save it anew and send it again.`,
    { what },
  )
}
