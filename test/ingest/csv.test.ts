// CSV as people send it: encodings, delimiters, quotes, ragged and blank rows, headers.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { decodeParts } from '../../src/ingest/decode-text.ts'
import { readCsv } from '../../src/ingest/read-csv.ts'
import { fixture, readBytes, refusalOf } from './reading.ts'

const numbersOf = (reading: Awaited<ReturnType<typeof readBytes>>) =>
  [...reading.accepted.values()].map(({ number }) => number)

test('every column but the phone becomes a variable under its own name', async () => {
  const reading = await readBytes('phone, Customer Name ,amount\n+12025550101,Ann,12\n')
  assert.deepEqual(reading.accepted.get(2), {
    number: '+12025550101',
    zone: 'America/New_York',
    variables: { 'Customer Name': 'Ann', amount: '12' },
  })
  assert.deepEqual(reading.headers, ['phone', 'Customer Name', 'amount'])
  assert.equal(reading.rows, 1)
})

test('UTF-8 with a BOM, UTF-16 with and without one, and windows-1252 read the same', async () => {
  const files = [fixture('utf-16le-bom.txt'), fixture('utf-16le.txt'), fixture('utf-16be.txt')]
  const lines = 'phone;name\r\n+12025550101;Zoë Ünal\r\n+12025550102;José Núñez\r\n'
  files.push(Buffer.from(`\ufeff${lines}`), Buffer.from(lines, 'latin1'), Buffer.from(lines))
  for (const file of files) {
    const { accepted } = await readBytes(file)
    assert.deepEqual(
      [...accepted.values()].map(({ variables }) => variables),
      [{ name: 'Zoë Ünal' }, { name: 'José Núñez' }],
    )
  }
})

test('windows-1252 has more letters than latin1', async () => {
  const reading = await readBytes(
    Buffer.from([...Buffer.from('phone,price\n+12025550101,'), 0x80, 0x35, 0x0a]),
  )
  assert.deepEqual(reading.accepted.get(2)?.variables, { price: '€5' })
})

test('the delimiter is the one under which the phone column is found', async () => {
  const lists = [
    'name;phone\nDoe, John, Jr.;+12025550101\nRoe, Jane;+12025550102\n',
    'name\tphone\nDoe, John\t+12025550101\nRoe; Jane\t+12025550102\n',
    'name|phone\nDoe, John|+12025550101\nRoe, Jane|+12025550102\n',
    'sep=;\nname;phone\nDoe, John;+12025550101\nRoe, Jane;+12025550102\n',
    'phone\n+12025550101\n+12025550102\n',
    'phone\n+12025550101\n+12025550102',
    'phone\r\n+12025550101\r\n+12025550102\r\n',
    'phone\r+12025550101\r+12025550102\r',
    'phone\r\n+12025550101\n+12025550102\n',
  ]
  for (const list of lists)
    assert.deepEqual(numbersOf(await readBytes(list)), ['+12025550101', '+12025550102'], list)
})

test('a quoted cell may hold delimiters, doubled quotes and line ends', async () => {
  const reading = await readBytes('phone,note\n+12025550101,"a, ""b""\r\nc"\n+12025550102,"5" tall"\n')
  assert.deepEqual(reading.accepted.get(2)?.variables, { note: 'a, "b"\nc' })
  assert.deepEqual(reading.accepted.get(3)?.variables, { note: '5" tall' })
})

test('a quote that is never closed refuses the whole file with the row where it opens', async () => {
  const atTheEnd = 'phone,name\n+12025550101,Ann\n+12025550102,"Bob\n+12025550103,Cid\n'
  const closedByAnother =
    'phone,name\n+12025550101,Ann\n+12025550102,"Bob\n+12025550103,"Cid"\n+12025550104,Dee\n'
  for (const list of [atTheEnd, closedByAnother]) {
    const refusal = await refusalOf(() => readBytes(list))
    assert.deepEqual([refusal.kind, refusal.code, refusal.details], ['invalid', 'unclosed_quote', { row: 3 }])
  }
})

test('a short row has empty variables, and never those of the next person', async () => {
  const reading = await readBytes(
    'name,city,phone,code\nAnn,Rome,+12025550101\nBob\nCid,Oslo,+12025550103,7\n',
  )
  assert.deepEqual(reading.accepted.get(2)?.variables, { name: 'Ann', city: 'Rome', code: '' })
  assert.deepEqual(reading.rejected.get(3), ['missing_phone', null])
  assert.deepEqual(reading.accepted.get(4)?.variables, { name: 'Cid', city: 'Oslo', code: '7' })
})

test('cells beyond the header are kept under the number of their column', async () => {
  const reading = await readBytes('phone,name,,\n+12025550101,Ann,x,,y,\n+12025550102,Bob,,,,\n')
  assert.deepEqual(reading.accepted.get(2)?.variables, { name: 'Ann', column_3: 'x', column_5: 'y' })
  assert.deepEqual(reading.accepted.get(3)?.variables, { name: 'Bob' })
})

test('blank rows are no rows, but count in the row numbers, as they do in a spreadsheet', async () => {
  const reading = await readBytes('\n , \nphone,name\n\n+12025550101,Ann\n,,\n+12025550102,Bob\n\n\n')
  assert.deepEqual([...reading.accepted.keys()], [5, 7])
  assert.equal(reading.rows, 2)
})

test('a row number counts records, not lines', async () => {
  const reading = await readBytes('phone,note\n+12025550101,"a\nb\nc"\nbad,x\n')
  assert.deepEqual(reading.rejected.get(3), ['invalid_phone', 'bad'])
})

test('a second column of a name is called name_2, also when that name is taken', async () => {
  const reading = await readBytes('phone,name,name,name_2,phone\n+12025550101,a,b,c,d\n')
  assert.deepEqual(reading.accepted.get(2)?.variables, {
    name: 'a',
    name_2: 'b',
    name_2_2: 'c',
    phone_2: 'd',
  })
})

test('the phone column is found whatever its case, and the first wanted name counts', async () => {
  const reading = await readBytes('PHONE_NUMBER,\u200b Phone\u00a0\n+12025550101,+12025550102\n')
  assert.deepEqual(reading.accepted.get(2), {
    number: '+12025550102',
    zone: 'America/New_York',
    variables: { PHONE_NUMBER: '+12025550101' },
  })
})

test('headers called __proto__ and constructor are names like any other', async () => {
  const reading = await readBytes('phone,__proto__,constructor,toString\n+12025550101,a,b,c\n')
  const variables = reading.accepted.get(2)?.variables ?? {}
  assert.deepEqual(Object.keys(variables), ['__proto__', 'constructor', 'toString'])
  assert.equal(JSON.stringify(variables), '{"__proto__":"a","constructor":"b","toString":"c"}')
  assert.equal(Object.getPrototypeOf({}), Object.prototype)
})

test('a list without the phone column is refused with the columns that it has', async () => {
  const refusal = await refusalOf(() => readBytes('name,email\nAnn,a@example.org\n'))
  assert.equal(refusal.code, 'missing_phone_column')
  assert.deepEqual(refusal.details, { columns: ['name', 'email'], expected: ['phone', 'phone_number'] })
  assert.match(refusal.message, /"phone" or "phone_number".*"name", "email"/)
})

test('a file without rows, without text or of bytes is refused', async () => {
  const bad = [
    '',
    '\n\n',
    '   ',
    'phone,name\n',
    'phone,name\n,\n\n',
    'phone\n+1202\u0000',
    Buffer.from([1, 2, 0, 3, 0, 0, 7, 8]),
  ]
  for (const bytes of bad) {
    const refusal = await refusalOf(() => readBytes(bytes))
    assert.deepEqual([refusal.kind, refusal.code], ['invalid', 'invalid_csv'], JSON.stringify(bytes))
  }
})

test('a cell too long to be said, and a header too wide to be one, are refused', async () => {
  const long = await refusalOf(() => readBytes(`phone,a\n+12025550101,${'x'.repeat(100_001)}\n`))
  assert.deepEqual([long.code, long.details], ['invalid_csv', { row: 2, maxCellChars: 100_000 }])
  const wide = await refusalOf(() => readBytes(`phone${',a'.repeat(1_000)}\n+12025550101\n`))
  assert.deepEqual([wide.code, wide.details], ['invalid_csv', { columns: 1_001, maxColumns: 1_000 }])
  const ragged = await refusalOf(() => readBytes(`phone\n+12025550101${',a'.repeat(2_000)}\n`))
  assert.equal(ragged.code, 'invalid_csv')
})

test('a list that is read in several parts loses and doubles nothing at their seams', () => {
  const text = 'phone,note\r\n+12025550101,"a, ""b""\r\nc"\r\n\r\n+12025550102,é"x"\r\n+12025550103,"5" tall"'
  const whole = rowsOf([text])
  assert.deepEqual(
    whole.map(([row]) => row),
    [1, 2, 4, 5],
  )
  for (let size = 1; size < text.length; size++) {
    assert.deepEqual(rowsOf([text.slice(0, 12), ...cut(text.slice(12), size)]), whole, `parts of ${size}`)
  }
})

test('text is decoded in parts, also where a letter lies across two', () => {
  const text = `${'é'.repeat(3)}${'€x'.repeat(2_000_000)}`
  assert.equal([...decodeParts(Buffer.from(text), 'utf-8')].join(''), text)
  assert.equal([...decodeParts(Buffer.from(text, 'utf16le'), 'utf-16le')].join(''), text)
})

function rowsOf(parts: string[]): [number, readonly unknown[]][] {
  const rows: [number, readonly unknown[]][] = []
  readCsv(
    parts,
    header => header === 'phone',
    (rowNumber, cells) => rows.push([rowNumber, cells]),
  )
  return rows
}

function cut(text: string, size: number): string[] {
  return text.match(new RegExp(`[^]{1,${size}}`, 'g')) ?? []
}
