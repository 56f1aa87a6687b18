// Workbooks as LibreOffice wrote them (test/fixtures), and such as nobody should send.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import XLSX from '@e965/xlsx'
import { fixture, readBytes, refusalOf } from './reading.ts'
import { workbookParts, zipOf } from './zip-of.ts'

const inIndia = { region: 'IN', phoneColumns: ['phone_number'] }
const inline = (cell: string, text: string) => `<c r="${cell}" t="inlineStr"><is><t>${text}</t></is></c>`
const people = `<row r="1">${inline('A1', 'phone')}</row><row r="2">${inline('A2', '+12025550101')}</row>`

for (const name of ['contacts.xlsx', 'contacts.xls'] as const) {
  test(`${name}: numbers, dates, truth values and formulas come out as a CSV of the table would have them`, async () => {
    const reading = await readBytes(fixture(name), inIndia)
    assert.deepEqual(reading.headers, [
      'Phone_Number',
      'customer_name',
      'loan_amount',
      'due',
      'member',
      'rate',
    ])
    const priya = {
      customer_name: 'Priya Sharma',
      loan_amount: '500000',
      due: '2026-03-01',
      member: 'TRUE',
      rate: '0.1',
    }
    const rahul = {
      customer_name: 'Rahul Mehra',
      loan_amount: '250000',
      due: '',
      member: 'FALSE',
      rate: '1.25',
    }
    const zoe = {
      customer_name: 'Zoë "Z" Ünal',
      loan_amount: '1234567.5',
      due: '2026-03-01T09:30:00',
      member: '',
      rate: '',
    }
    assert.deepEqual(reading.accepted.get(2), {
      number: '+919876543210',
      zone: 'Asia/Kolkata',
      variables: priya,
    })
    assert.deepEqual(reading.accepted.get(3), {
      number: '+919123456789',
      zone: 'Asia/Kolkata',
      variables: rahul,
    })
    assert.deepEqual(reading.accepted.get(5), {
      number: '+12025550101',
      zone: 'America/New_York',
      variables: zoe,
    })
    assert.equal(reading.accepted.get(10)?.variables.customer_name, 'Line one\nline two')
    assert.equal(reading.rows, 8)
  })

  test(`${name}: numeric cells are numbers again, and every row is accounted for under the row the user sees`, async () => {
    const reading = await readBytes(fixture(name), inIndia)
    assert.equal(reading.accepted.get(6)?.number, '+14155552671')
    assert.deepEqual([...reading.accepted.keys()], [2, 3, 5, 6, 10])
    assert.deepEqual(
      [...reading.rejected],
      [
        [7, ['invalid_phone', '9.19877E+11']],
        [8, ['duplicate', '9876543210']],
        [9, ['missing_phone', null]],
      ],
    )
  })
}

test('the same table as CSV, with semicolons in windows-1252 and with tabs in UTF-16, gives the same variables', async () => {
  const book = await readBytes(fixture('contacts.xlsx'), inIndia)
  for (const name of ['contacts-semicolon-windows-1252.csv', 'contacts-tab-utf-16.csv']) {
    const reading = await readBytes(fixture(name), inIndia)
    for (const row of [2, 3, 10]) assert.deepEqual(reading.accepted.get(row), book.accepted.get(row), name)
    // In text nothing says that a plus was lost.
    assert.deepEqual(reading.rejected.get(6), ['invalid_phone', '14155552671'])
  }
})

for (const name of ['empty-and-hidden-first.xlsx', 'empty-and-hidden-first.xls']) {
  test(`${name}: the first visible sheet with data is read`, async () => {
    const reading = await readBytes(fixture(name))
    assert.deepEqual(
      [...reading.accepted.values()].map(({ variables }) => variables),
      [{ name: 'visible' }],
    )
  })
}

test('a file is read as what it is, whatever its name says, if the rules allow that', async () => {
  const refused = [
    [fixture('contacts.xlsx'), 'an XLSX workbook'],
    [fixture('contacts.xls'), 'an XLS workbook'],
    [Buffer.from('[{"phone":"+12025550101"}]'), 'JSON'],
  ] as const
  for (const [bytes, found] of refused) {
    const refusal = await refusalOf(() => readBytes(bytes, { formats: ['csv'] }))
    assert.deepEqual(
      [refusal.kind, refusal.code, refusal.details],
      ['invalid', 'unsupported_format', { found, formats: ['csv'] }],
    )
  }
})

test('what is no list is refused by its name', async () => {
  const files: [Uint8Array | string, RegExp][] = [
    [fixture('contacts.ods'), /OpenDocument/],
    ['%PDF-1.7\n', /PDF/],
    [Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a]), /PNG/],
    [Buffer.from([0xff, 0xd8, 0xff, 0xe0]), /JPEG/],
    [Buffer.from([0x1f, 0x8b, 8, 0]), /gzip/],
    ['<html><table><tr><td>phone</td></tr></table></html>', /web page/],
    ['<?xml version="1.0"?><Workbook/>', /XML/],
    [zipOf([{ name: 'readme.txt', content: 'hello' }]), /zip archive/],
    [zipOf([]), /empty zip/],
    [zipOf([{ name: 'word/document.xml', content: '<w/>' }]), /Word/],
    [zipOf([{ name: 'xl/workbook.bin', content: 'x' }]), /XLSB/],
  ]
  for (const [bytes, sentence] of files) {
    const refusal = await refusalOf(() => readBytes(bytes))
    assert.equal(refusal.code, 'unsupported_format', String(sentence))
    assert.match(refusal.message, sentence)
  }
})

test('the smallest workbook is read', async () => {
  const reading = await readBytes(zipOf(workbookParts(people)))
  assert.equal(reading.accepted.get(2)?.number, '+12025550101')
})

test('a bomb is refused before it is unpacked', async () => {
  const zeros = Buffer.alloc(64 * 1024 * 1024)
  const bomb = zipOf([...workbookParts(people), { name: 'xl/worksheets/sheet2.xml', content: zeros }])
  assert.ok(bomb.length < 100_000)
  const refusal = await refusalOf(() => readBytes(bomb))
  assert.deepEqual([refusal.kind, refusal.code], ['too-large', 'file_too_large'])
})

test('a bomb that claims to be small is stopped at what it claimed', async () => {
  const zeros = Buffer.alloc(64 * 1024 * 1024)
  const bomb = zipOf([
    ...workbookParts(people),
    { name: 'xl/worksheets/sheet2.xml', content: zeros, claimedBytes: 1_000 },
  ])
  assert.equal((await refusalOf(() => readBytes(bomb))).code, 'invalid_csv')
})

test('what does not stand in the directory is never unpacked', async () => {
  const zeros = Buffer.alloc(64 * 1024 * 1024)
  const bomb = zipOf(workbookParts(people), [{ name: 'xl/worksheets/sheet0.xml', content: zeros }])
  assert.equal((await readBytes(bomb)).rows, 1)
})

test('cells said to lie beyond the edge of a sheet do not fill the memory', async () => {
  const far = [
    '<row r="99999999"><c r="A99999999"><v>1</v></c></row>',
    '<row r="3"><c r="ZZZZZZ3"><v>1</v></c></row>',
    '<row><c r="B900000000"><v>1</v></c></row>',
  ]
  for (const row of far)
    assert.equal(
      (await refusalOf(() => readBytes(zipOf(workbookParts(people + row))))).code,
      'invalid_csv',
      row,
    )
})

test('a damaged, truncated, empty or locked workbook is refused', async () => {
  const whole = fixture('contacts.xlsx')
  const flipped = Buffer.from(whole)
  flipped.fill(0x55, 200, 260)
  const locked = XLSX.CFB.utils.cfb_new()
  XLSX.CFB.utils.cfb_add(locked, '/EncryptedPackage', Buffer.alloc(64))
  XLSX.CFB.utils.cfb_add(locked, '/EncryptionInfo', Buffer.alloc(64))
  const bad: [string, Uint8Array][] = [
    ['truncated', whole.subarray(0, whole.length / 2)],
    ['flipped', flipped],
    ['only the magic', Buffer.from('PK\x03\x04')],
    ['no sheet', zipOf(workbookParts(people).slice(0, 3))],
    ['no rows', zipOf(workbookParts(''))],
    ['no XML', zipOf([{ name: 'xl/workbook.xml', content: 'hello' }])],
    ['encrypted entries', zipOf(workbookParts(people).map(part => ({ ...part, flags: 1 })))],
    ['truncated xls', fixture('contacts.xls').subarray(0, 1_024)],
    ['locked', Buffer.from(XLSX.CFB.write(locked, { type: 'buffer' }) as Uint8Array)],
    ['xls magic', Buffer.from([0xd0, 0xcf, 0x11, 0xe0, 0xa1, 0xb1, 0x1a, 0xe1])],
  ]
  for (const [name, bytes] of bad) {
    const refusal = await refusalOf(() => readBytes(bytes))
    assert.deepEqual([refusal.kind, refusal.code], ['invalid', 'invalid_csv'], name)
  }
})
