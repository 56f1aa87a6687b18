// Makes the spreadsheets under test/fixtures/ that tests read: real files, written by LibreOffice, not by us. Run by
// hand where `soffice` is installed (Debian: libreoffice-calc-nogui); the files are committed, so tests need no office.
import { execFileSync } from 'node:child_process'
import { copyFileSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

const target = join(import.meta.dirname, '../test/fixtures')
const folder = mkdtempSync(join(tmpdir(), 'fixtures-'))
mkdirSync(target, { recursive: true })

interface SheetCell {
  /** `float` is a number, `date` an ISO date, `formula` a formula whose cached result LibreOffice computes. */
  type: 'string' | 'float' | 'date' | 'boolean' | 'formula'
  value: string
}

function text(value: string): SheetCell {
  return { type: 'string', value }
}

function number(value: number): SheetCell {
  return { type: 'float', value: String(value) }
}

/** Numeric telephone cells as Excel makes them, a date, a truth value, a formula, a blank row, a duplicate. */
function makeContacts(): void {
  const rows: SheetCell[][] = [
    ['Phone_Number', 'customer_name', 'loan_amount', 'due', 'member', 'rate'].map(text),
    [
      number(9876543210),
      text('Priya Sharma'),
      number(500000),
      { type: 'date', value: '2026-03-01' },
      bool(true),
      number(0.1),
    ],
    [
      number(919123456789),
      text('Rahul Mehra'),
      { type: 'formula', value: 'of:=100000*2.5' },
      text(''),
      bool(false),
      number(1.25),
    ],
    [],
    [
      text('+12025550101'),
      text('Zoë "Z" Ünal'),
      number(1234567.5),
      { type: 'date', value: '2026-03-01T09:30:00' },
    ],
    [number(14155552671), text('José; Núñez'), text('n/a')],
    [text('9.19877E+11'), text('Lost Digits')],
    [text('9876543210'), text('Priya again')],
    [text(''), text('No Number')],
    [text("'+442071838750"), text('Line one\nline two')],
  ]
  const book = writeBook('contacts', [{ name: 'Leads', rows }])
  convert(book, 'xlsx', 'contacts.xlsx')
  convert(book, 'xls:MS Excel 97', 'contacts.xls')
  convert(book, 'csv:Text - txt - csv (StarCalc):59,34,ANSI,1', 'contacts-semicolon-windows-1252.csv')
  convert(book, 'csv:Text - txt - csv (StarCalc):9,34,65535,1', 'contacts-tab-utf-16.csv')
  convert(book, 'ods', 'contacts.ods')
}

/** An empty sheet (LibreOffice never hides the first), a hidden one with data, then the list. */
function makeSheets(): void {
  const rows = (name: string) => [
    [text('phone'), text('name')],
    [text('+12025550102'), text(name)],
  ]
  const sheets = [
    { name: 'Empty', rows: [] },
    { name: 'Hidden', rows: rows('hidden'), hidden: true },
    { name: 'People', rows: rows('visible') },
  ]
  const book = writeBook('sheets', sheets)
  convert(book, 'xlsx', 'empty-and-hidden-first.xlsx')
  convert(book, 'xls:MS Excel 97', 'empty-and-hidden-first.xls')
}

/** "Unicode text" as Excel saves it: UTF-16, little endian, with a BOM and tabs; and without the BOM, as others do. */
function makeEncodedTexts(): void {
  const lines = 'phone\tname\r\n+12025550101\tZoë Ünal\r\n+12025550102\tJosé Núñez\r\n'
  const littleEndian = Buffer.from(lines, 'utf16le')
  writeFileSync(join(target, 'utf-16le-bom.txt'), Buffer.concat([Buffer.from([0xff, 0xfe]), littleEndian]))
  writeFileSync(join(target, 'utf-16le.txt'), littleEndian)
  writeFileSync(join(target, 'utf-16be.txt'), Buffer.from(littleEndian).swap16())
}

function bool(value: boolean): SheetCell {
  return { type: 'boolean', value: String(value) }
}

function convert(book: string, filter: string, name: string): void {
  const profile = `-env:UserInstallation=file://${folder}/profile`
  execFileSync('soffice', [
    '--headless',
    profile,
    '--convert-to',
    filter,
    '--outdir',
    join(folder, 'out'),
    book,
  ])
  const ending = filter.split(':')[0]
  copyFileSync(
    join(folder, 'out', book.replace(/^.*\//, '').replace(/fods$/, ending ?? '')),
    join(target, name),
  )
}

function writeCell({ type, value }: SheetCell): string {
  const escaped = value.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('"', '&quot;')
  if (type === 'formula') return `<table:table-cell table:formula="${escaped}" office:value-type="float"/>`
  const attribute = { string: '', float: 'value', date: 'date-value', boolean: 'boolean-value' }[type]
  const shown = type === 'string' ? `<text:p>${escaped.replaceAll('\n', '</text:p><text:p>')}</text:p>` : ''
  const held = attribute === '' ? '' : ` office:${attribute}="${escaped}"`
  const style = type === 'date' || type === 'boolean' ? ` table:style-name="${type}"` : ''
  return `<table:table-cell office:value-type="${type}"${held}${style}>${shown}</table:table-cell>`
}

const namespaces = ['office', 'table', 'text', 'style']
  .map(name => ` xmlns:${name}="urn:oasis:names:tc:opendocument:xmlns:${name}:1.0"`)
  .join('')

const head = `<?xml version="1.0" encoding="UTF-8"?>
<office:document${namespaces} xmlns:number="urn:oasis:names:tc:opendocument:xmlns:datastyle:1.0"
 xmlns:of="urn:oasis:names:tc:opendocument:xmlns:of:1.2" office:version="1.3"
 office:mimetype="application/vnd.oasis.opendocument.spreadsheet">`

const styles = `<office:automatic-styles>
<number:date-style style:name="iso"><number:year number:style="long"/><number:text>-</number:text>
<number:month number:style="long"/><number:text>-</number:text><number:day number:style="long"/></number:date-style>
<number:boolean-style style:name="truth"><number:boolean/></number:boolean-style>
<style:style style:name="boolean" style:family="table-cell" style:data-style-name="truth"/>
<style:style style:name="date" style:family="table-cell" style:data-style-name="iso"/>
<style:style style:name="hidden" style:family="table"><style:table-properties table:display="false"/></style:style>
</office:automatic-styles>`

/** A flat OpenDocument file: what LibreOffice reads without losing which cell is a number and which is text. */
function writeBook(name: string, sheets: { name: string; rows: SheetCell[][]; hidden?: boolean }[]): string {
  const tables = sheets.map(sheet => {
    const rows = sheet.rows.map(
      cells => `<table:table-row>${cells.map(writeCell).join('') || '<table:table-cell/>'}</table:table-row>`,
    )
    const style = sheet.hidden ? ' table:style-name="hidden"' : ''
    return `<table:table table:name="${sheet.name}"${style}>${rows.join('')}</table:table>`
  })
  const file = join(folder, `${name}.fods`)
  writeFileSync(
    file,
    `${head}${styles}<office:body><office:spreadsheet>${tables.join('')}</office:spreadsheet></office:body></office:document>`,
  )
  return file
}

try {
  makeContacts()
  makeSheets()
  makeEncodedTexts()
} finally {
  rmSync(folder, { recursive: true })
}
