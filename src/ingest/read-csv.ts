// CSV text → rows: finds the delimiter by the header, and refuses a file in which a quote swallowed lines.
import Papa from 'papaparse'
import { Refusal } from '../domain/refusal.ts'
import { isBlankRow, type VisitRow } from './table.ts'

/**
 * Reads a text that comes in parts. Row numbers count records, blank lines included, as a spreadsheet shows them.
 * `isWanted` says whether a header names the column that we need: the delimiter under which it is found is the right
 * one. Throws `unclosed_quote` with details.row where the quote opens.
 */
export function readCsv(
  parts: Iterable<string>,
  isWanted: (header: string) => boolean,
  visit: VisitRow,
): void {
  let delimiter: string | null = null
  let rowNumber = 0
  /** What the last part ended with: a row that is not whole yet. */
  let rest = ''
  const step = ({ data: [row = []], errors }: Papa.ParseResult<string[]>) => {
    rowNumber++
    if (errors.length > 0) refuseBrokenQuotes(rowNumber, row, errors)
    if (!isBlankRow(row)) visit(rowNumber, row)
  }
  const parse = (text: string, isEnd: boolean) => {
    delimiter ??= findDelimiter(text, isWanted)
    // The parser itself, as papaparse's own streams use it: they are asynchronous, and what calls us is not.
    const parser = new Papa.Parser({ delimiter, newline: '\n', step })
    const { meta } = parser.parse(text, 0, !isEnd) as Papa.ParseResult<string[]>
    rest = text.slice(meta.cursor)
    if (rest.length > maxRecordChars) throw unclosedQuote(rowNumber + 1)
  }
  for (const part of withoutSeparatorLine(withPlainLines(parts), found => (delimiter = found)))
    parse(rest + part, false)
  parse(rest, true)
}

/** No row is this long: an open quote is found here, not after each further part was searched for its end. */
const maxRecordChars = 8_000_000

const delimiters = [',', ';', '\t', '|']
/** The first lines are enough to find a delimiter. */
const sampleChars = 65_536
const sampleRows = 20

/** Mixed line ends would make papaparse join rows: one kind only, in quoted cells too. */
function* withPlainLines(parts: Iterable<string>): Generator<string> {
  let held = ''
  for (const part of parts) {
    const text = held + part
    // The line feed that belongs to it may be the next part's first character.
    held = text.endsWith('\r') ? '\r' : ''
    const whole = text.slice(0, text.length - held.length)
    yield whole.includes('\r') ? whole.replace(/\r\n?/g, '\n') : whole
  }
  if (held !== '') yield '\n'
}

/** Excel's own hint in the first line, which it does not count as a row. */
function* withoutSeparatorLine(
  parts: Iterable<string>,
  announce: (delimiter: string) => void,
): Generator<string> {
  let isFirst = true
  for (const part of parts) {
    const line = isFirst ? /^sep=(.)\n/i.exec(part) : null
    isFirst = false
    if (line?.[1] !== undefined) announce(line[1])
    yield line === null ? part : part.slice(line[0].length)
  }
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
  throw unclosedQuote(row)
}

function unclosedQuote(row: number): Refusal {
  const sentence = `A quote that opens in row ${row} is not closed. Close it, or double the quotes within a cell.`
  return new Refusal('invalid', 'unclosed_quote', sentence, { row })
}
