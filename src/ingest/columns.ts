// The header row: which column holds the number, which the time zone, and what the others are called.
import { Refusal } from '../domain/refusal.ts'
import type { ListRules } from './list-rules.ts'
import { type Cell, cellText } from './table.ts'

export interface Columns {
  /** As the user spelled them, trimmed; a nameless one is ''. */
  headers: string[]
  phone: number
  /** null: the list has no time zone column. */
  zone: number | null
  /** One JSON object with the row's variables: every column but the phone's, in the order of the file. */
  variablesJson(cells: readonly Cell[]): string
}

/**
 * Maps the header. A second column of the same name becomes `name_2`. Cells without a header (a nameless column, a row
 * longer than the header) become `column_7` when they are not empty; a short row's missing cells are empty text, so
 * that every recipient has every variable. Throws `missing_phone_column` with details.columns, and `invalid_csv` for
 * more columns than a list can have.
 */
export function mapColumns(cells: readonly Cell[], rules: ListRules): Columns {
  const headers = trimHeaders(cells.map(cell => cellText(cell).replace(zeroWidth, '').trim()))
  if (headers.length > maxColumns) throw tooMany(headers.length)
  const phone = findColumn(headers, rules.phoneColumns)
  if (phone === null) throw missingPhone(headers, rules.phoneColumns)
  const names = nameVariables(headers, phone)
  return {
    headers,
    phone,
    zone: findColumn(headers, rules.zoneColumns),
    variablesJson: writeVariables(names, phone),
  }
}

/** Whether a header, as it stands in the file, is one of `columns` (compared without case and surrounding space). */
export function isNamed(header: string, columns: readonly string[]): boolean {
  return columns.some(column => column.toLowerCase() === header.replace(zeroWidth, '').trim().toLowerCase())
}

/** Excel has 16,384; a list of people with more than this has been turned on its side. */
const maxColumns = 1_000
const zeroWidth = /[\u200b-\u200d\u2060\ufeff]/g

function trimHeaders(headers: string[]): string[] {
  const last = headers.findLastIndex(header => header !== '')
  return headers.slice(0, last + 1)
}

/** The first of the wanted names that is found counts, so that `phone_number` may stand beside `phone`. */
function findColumn(headers: readonly string[], wanted: readonly string[]): number | null {
  for (const name of wanted) {
    const index = headers.findIndex(header => isNamed(header, [name]))
    if (index !== -1) return index
  }
  return null
}

/** Variable name of each column; null where there is none: the phone column and nameless ones. */
function nameVariables(headers: readonly string[], phone: number): (string | null)[] {
  const taken = new Set<string>([headers[phone] ?? ''])
  return headers.map((header, index) => (index === phone || header === '' ? null : unusedName(header, taken)))
}

function unusedName(wanted: string, taken: Set<string>): string {
  let name = wanted
  for (let copy = 2; taken.has(name); copy++) name = `${wanted}_${copy}`
  taken.add(name)
  return name
}

/** Writes JSON text by itself: a header called `__proto__` is then nothing but a name. */
function writeVariables(names: readonly (string | null)[], phone: number): Columns['variablesJson'] {
  const keys = names.map(name => (name === null ? null : `${JSON.stringify(name)}:`))
  const taken = new Set(names.filter(name => name !== null))
  const namelessKeys = new Map<number, string>()
  const namelessKey = (index: number) => {
    const key = namelessKeys.get(index) ?? `${JSON.stringify(unusedName(`column_${index + 1}`, taken))}:`
    namelessKeys.set(index, key)
    return key
  }
  return cells => {
    let json = ''
    for (let index = 0; index < Math.max(cells.length, keys.length); index++) {
      const text = cellText(cells[index])
      if (index === phone || (keys[index] == null && text.trim() === '')) continue
      if (index >= maxColumns) throw tooMany(cells.length)
      json += `${json === '' ? '' : ','}${keys[index] ?? namelessKey(index)}${JSON.stringify(text)}`
    }
    return `{${json}}`
  }
}

function missingPhone(headers: readonly string[], wanted: readonly string[]): Refusal {
  const names = headers.map(header => `"${header}"`).join(', ')
  const sentence = `The list has no column ${wanted.map(name => `"${name}"`).join(' or ')}. Its columns are: ${names}.`
  return new Refusal('invalid', 'missing_phone_column', sentence, {
    columns: [...headers],
    expected: [...wanted],
  })
}

function tooMany(columns: number): Refusal {
  const sentence = `The list has ${columns} columns; at most ${maxColumns} are read.`
  return new Refusal('invalid', 'invalid_csv', sentence, { columns, maxColumns })
}
