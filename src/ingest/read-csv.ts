// CSV text → rows: finds the delimiter by the header, and refuses a file in which a quote swallowed lines.
import Papa from 'papaparse'
import { Refusal } from '../domain/refusal.ts'
import { isBlankRow, type VisitRow } from './table.ts'

/**
 * Reads the whole text. Row numbers count records, blank lines included, as a spreadsheet shows them. `isWanted` says
 * whether a header names the column that we need: the delimiter under which it is found is the right one.
 * Throws `unclosed_quote` with details.row where the quote opens.
 */
export function readCsv(text: string, isWanted: (header: string) => boolean, visit: VisitRow): void {
  // Mixed line ends would make papaparse join rows: one kind only, in quoted cells too.
  const lines = text.includes('\r') ? text.replace(/\r\n?/g, '\n') : text
  const announced = /^sep=(.)\n/i.exec(lines)
  const body = announced === null ? lines : lines.slice(announced[0].length)
  const delimiter = announced?.[1] ?? findDelimiter(body, isWanted)
  let rowNumber = 0
  Papa.parse<string[]>(body, {
    delimiter,
    newline: '\n',
    step: ({ data, errors }) => {
      rowNumber++
      if (errors.length > 0) refuseBrokenQuotes(rowNumber, data, errors)
      if (data.length > 1 || data[0] !== '') visitRow(rowNumber, data, visit)
    },
  })
}

const delimiters = [',', ';', '\t', '|']
/** The first lines are enough to find a delimiter. */
const sampleChars = 65_536
const sampleRows = 20

function visitRow(rowNumber: number, cells: string[], visit: VisitRow): void {
  if (!isBlankRow(cells)) visit(rowNumber, cells)
}

/** By counting fields alone, `Doe, John;+1202…` in a file with semicolons reads as comma separated. */
function findDelimiter(text: string, isWanted: (header: string) => boolean): string {
  const sample = text.slice(0, sampleChars)
  const headers = delimiters.map(delimiter => ({ delimiter, cells: headerOf(sample, delimiter) }))
  const fitting = headers.filter(({ cells }) => cells.some(isWanted))
  const best = fitting.reduce<(typeof headers)[number] | null>(
    (best, header) => (best === null || header.cells.length > best.cells.length ? header : best),
    null,
  )
  return best?.delimiter ?? guessDelimiter(sample)
}

function headerOf(sample: string, delimiter: string): string[] {
  const { data } = Papa.parse<string[]>(sample, { delimiter, newline: '\n', preview: sampleRows })
  return data.find(cells => !isBlankRow(cells)) ?? []
}

function guessDelimiter(sample: string): string {
  const { meta } = Papa.parse(sample, { newline: '\n', preview: sampleRows, delimitersToGuess: delimiters })
  return delimiters.includes(meta.delimiter) ? meta.delimiter : ','
}

/**
 * `MissingQuotes`: the file ends inside a quote. `InvalidQuotes`: a quote inside a quoted cell is not doubled; harmless
 * within a line (`"5" tall"`), but where the cell runs over lines, people were swallowed with it.
 */
function refuseBrokenQuotes(row: number, cells: string[], errors: readonly Papa.ParseError[]): void {
  const ended = errors.some(({ code }) => code === 'MissingQuotes')
  if (!ended && !cells.some(cell => cell.includes('\n'))) return
  const sentence = `A quote that opens in row ${row} is not closed. Close it, or double the quotes within a cell.`
  throw new Refusal('invalid', 'unclosed_quote', sentence, { row })
}
