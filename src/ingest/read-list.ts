// Bytes or contacts → accepted and rejected rows, in order, all of it synchronous but for XLSX: runs in the worker.
import { Refusal } from '../domain/refusal.ts'
import type { AcceptedRow, RejectedRow } from '../store/store.ts'
import { type Columns, isNamed, mapColumns } from './columns.ts'
import { readContact } from './contact.ts'
import { decodeParts } from './decode-text.ts'
import { detectFormat } from './detect-format.ts'
import type { IngestSummary, ListRules } from './list-rules.ts'
import { readCsv } from './read-csv.ts'
import { readJson } from './read-json.ts'
import { openScreen, type ScreenRow } from './screen-row.ts'
import { type Cell, cellText, type VisitRow } from './table.ts'

/** Takes each row as it is read. */
export interface RowOutput {
  accept(row: AcceptedRow): void
  reject(row: RejectedRow): void
}

/** Reads a file by what it is. Throws a Refusal for the whole list; single rows go to `output`. */
export async function readFile(
  bytes: Uint8Array,
  rules: ListRules,
  output: RowOutput,
): Promise<IngestSummary> {
  const list = detectFormat(bytes, rules.formats)
  if (list.format === 'json') {
    const text = [...decodeParts(list.bytes, list.encoding)].join('')
    return readContacts(rules, output).end(readJson(text))
  }
  const table = readTable(rules, output)
  if (list.format === 'csv')
    readCsv(
      decodeParts(list.bytes, list.encoding),
      header => isNamed(header, rules.phoneColumns),
      table.visit,
    )
  else if (list.format === 'xlsx') await (await import('./read-xlsx.ts')).readXlsx(list.bytes, table.visit)
  else (await import('./read-xls.ts')).readXls(list.bytes, table.visit)
  return table.end()
}

/** Reads contacts that come in slices: `add` takes one, `end` the last one. */
export function readContacts(rules: ListRules, output: RowOutput) {
  const screen = openScreen(rules)
  let rows = 0
  let headers: string[] = []
  const add = (contacts: readonly unknown[]) => {
    for (const contact of contacts) {
      rows = countRow(rows, rules)
      const read = readContact(contact, rows - 1, rules)
      if (rows === 1) headers = read.keys
      const rejected = decide(rows, read.phone, read.zone, () => read.variablesJson, screen, output)
      if (rejected !== null && rules.refuseBadContact) refuseBadNumber(rejected, rows - 1, read.phone)
    }
  }
  const end = (contacts: readonly unknown[]): IngestSummary => {
    add(contacts)
    if (rows === 0) throw new Refusal('invalid', 'invalid_contacts', 'The list of contacts is empty.')
    return { rows, headers }
  }
  return { add, end }
}

/** A cell longer than this is a quote gone wrong, not something to say on the telephone. Excel's own limit is 32,767. */
const maxCellChars = 100_000

function readTable(rules: ListRules, output: RowOutput): { visit: VisitRow; end(): IngestSummary } {
  const screen = openScreen(rules)
  let columns: Columns | null = null
  let rows = 0
  const visit: VisitRow = (rowNumber, cells) => {
    refuseLongCells(rowNumber, cells)
    if (columns === null) {
      columns = mapColumns(cells, rules)
      return
    }
    rows = countRow(rows, rules)
    const { phone, zone, variablesJson } = columns
    const zoneText = zone === null ? '' : cellText(cells[zone]).trim()
    decide(rowNumber, cells[phone] ?? '', zoneText, () => variablesJson(cells), screen, output)
  }
  const end = () => {
    if (columns === null) throw new Refusal('invalid', 'invalid_csv', 'The file is empty.')
    if (rows === 0) throw new Refusal('invalid', 'invalid_csv', 'The file has a header but no rows.')
    return { rows, headers: columns.headers }
  }
  return { visit, end }
}

function countRow(rows: number, rules: ListRules): number {
  if (rows < rules.maxRows) return rows + 1
  const sentence = `The list has more than ${rules.maxRows} contacts. Split it into several lists.`
  throw new Refusal('invalid', 'too_many_contacts', sentence, { max: rules.maxRows })
}

function refuseLongCells(row: number, cells: readonly Cell[]): void {
  if (!cells.some(cell => typeof cell === 'string' && cell.length > maxCellChars)) return
  const sentence = `A cell of row ${row} is longer than ${maxCellChars} characters. Is a quote missing there?`
  throw new Refusal('invalid', 'invalid_csv', sentence, { row, maxCellChars })
}

function decide(
  rowNumber: number,
  phone: string | number,
  zone: string,
  variablesJson: () => string,
  screen: ScreenRow,
  output: RowOutput,
): RejectedRow | null {
  const verdict = screen(phone, zone)
  if (verdict.ok) {
    output.accept({ rowNumber, number: verdict.number, zone: verdict.zone, variablesJson: variablesJson() })
    return null
  }
  const { status, code, value } = verdict
  const rejected = { rowNumber, status, code, value }
  output.reject(rejected)
  return rejected
}

const badNumbers: ReadonlySet<string> = new Set(['missing_phone', 'invalid_phone', 'ambiguous_phone'])

function refuseBadNumber({ code, value }: RejectedRow, index: number, phone: string | number): void {
  if (!badNumbers.has(code)) return
  const sentence = `The phone number of contact ${index} (counted from 0) is not in E.164 format, such as +12025550101.`
  throw new Refusal('invalid', 'invalid_phone_format', sentence, { index, number: value ?? String(phone) })
}
