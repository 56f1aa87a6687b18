// XLSX → rows. The workbook is unpacked here, within bounds, and only then given to the library to read.
import { readSheet } from 'read-excel-file/node'
import { Refusal } from '../domain/refusal.ts'
import { storeZip } from './stored-zip.ts'
import { type Cell, dateText, isBlankRow, unreadable, type VisitRow } from './table.ts'
import { readZipDirectory, unpackZip } from './zip-directory.ts'

/**
 * Reads the first visible sheet that has data, or the first hidden one that has if no visible one does. Formulas count
 * as their cached value. Throws `invalid_csv` for a damaged workbook, `file_too_large` for one that unpacks to too much.
 */
export async function readXlsx(bytes: Uint8Array, visit: VisitRow): Promise<void> {
  const needed = readZipDirectory(bytes).filter(({ name }) => neededParts.test(name))
  const parts = unpackZip(bytes, needed)
  for (const [name, xml] of parts) refuseFarCells(name, xml)
  const order = sheetOrder(parts.get('xl/workbook.xml')?.toString('utf8') ?? '')
  const workbook = storeZip(parts)
  for (const sheet of order) {
    const rows = await readRows(workbook, sheet)
    if (rows.every(cells => isBlankRow(cells))) continue
    for (const [index, cells] of rows.entries()) if (!isBlankRow(cells)) visit(index + 1, cells)
    return
  }
  throw new Refusal('invalid', 'invalid_csv', 'The workbook holds no rows.')
}

/** Pictures, printer settings and the like stay packed. */
const neededParts = /^(\[Content_Types\]\.xml|_rels\/.*|xl\/.*\.(xml|rels))$/
/** A workbook with more sheets than this before the first that has data is no contact list. */
const maxSheetsTried = 20

/** Positions (from 1) of the sheets, visible ones first. */
function sheetOrder(workbookXml: string): number[] {
  const sheets = [...workbookXml.matchAll(/<(?:\w+:)?sheet\s[^>]*>/g)].map(([tag], index) => ({
    position: index + 1,
    hidden: /\sstate="(hidden|veryHidden)"/.test(tag),
  }))
  const order = [...sheets.filter(({ hidden }) => !hidden), ...sheets.filter(({ hidden }) => hidden)]
  return order.map(({ position }) => position).slice(0, maxSheetsTried)
}

async function readRows(workbook: Buffer, sheet: number): Promise<Cell[][]> {
  try {
    const rows = await readSheet(workbook, sheet, { trim: false })
    return rows.map(row => row.map(toCell))
  } catch (error) {
    if (error instanceof RangeError) throw error
    throw unreadable('workbook')
  }
}

/** The library's typings say `typeof Date` where it gives dates. */
function toCell(value: unknown): Cell {
  if (value === null || value === undefined || typeof value === 'string' || typeof value === 'number')
    return value ?? null
  if (value instanceof Date) return dateText(value.getTime())
  return value === true ? 'TRUE' : 'FALSE'
}

/** A sheet has 1,048,576 rows and columns up to XFD: a cell said to lie beyond makes the reader fill in all before it. */
function refuseFarCells(name: string, xml: Buffer): void {
  if (!name.startsWith('xl/worksheets/')) return
  const far = /<(?:\w+:)?(?:row|c)\s(?:[^>]*\s)?r="(?:[A-Z]{4,}|[A-Z]*\d{8,})/.exec(xml.toString('latin1'))
  if (far !== null) throw unreadable('workbook')
}
