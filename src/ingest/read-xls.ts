// XLS (the binary workbooks of Excel 97 to 2003) → rows.
import XLSX from '@e965/xlsx'
import { Refusal } from '../domain/refusal.ts'
import { type Cell, dateText, isBlankRow, unreadable, type VisitRow } from './table.ts'

/** Reads the first visible sheet that has data, else the first hidden one that has. Throws `invalid_csv`. */
export function readXls(bytes: Uint8Array, visit: VisitRow): void {
  const workbook = openWorkbook(bytes)
  const hidden = (index: number) => (workbook.Workbook?.Sheets?.[index]?.Hidden ?? 0) !== 0
  const names = workbook.SheetNames
  const order = [...names.filter((_, index) => !hidden(index)), ...names.filter((_, index) => hidden(index))]
  for (const name of order) {
    const rows = readRows(workbook.Sheets[name])
    if (rows.every(cells => isBlankRow(cells))) continue
    for (const [index, cells] of rows.entries()) if (!isBlankRow(cells)) visit(index + 1, cells)
    return
  }
  throw new Refusal('invalid', 'invalid_csv', 'The workbook holds no rows.')
}

function openWorkbook(bytes: Uint8Array): XLSX.WorkBook {
  try {
    // Number formats tell dates from numbers; formatted text is left out, since it loses digits.
    return XLSX.read(bytes, {
      type: 'buffer',
      dense: true,
      cellNF: true,
      cellText: false,
      cellFormula: false,
      cellHTML: false,
    })
  } catch (error) {
    const locked = error instanceof Error && /password|encrypt/i.test(error.message)
    throw locked
      ? new Refusal(
          'invalid',
          'invalid_csv',
          'The workbook is protected by a password. Save it without one and send it again.',
        )
      : unreadable('workbook')
  }
}

function readRows(sheet: XLSX.WorkSheet | undefined): Cell[][] {
  const rows = (sheet?.['!data'] ?? []) as (XLSX.CellObject | undefined)[][]
  // Rows and cells without content are holes: Array.from fills them.
  return Array.from(rows, row => Array.from(row ?? [], toCell))
}

function toCell(cell: XLSX.CellObject | undefined): Cell {
  if (cell?.v === undefined || cell.t === 'z') return null
  if (cell.t === 'b') return cell.v === true ? 'TRUE' : 'FALSE'
  if (cell.t === 'e') return cell.w ?? '#ERROR'
  if (typeof cell.v !== 'number') return String(cell.v)
  return typeof cell.z === 'string' && XLSX.SSF.is_date(cell.z) ? serialDate(cell.v) : cell.v
}

function serialDate(serial: number): Cell {
  const { y, m, d, H, M, S } = XLSX.SSF.parse_date_code(serial)
  return dateText(Date.UTC(y, m - 1, d, H, M, S))
}
