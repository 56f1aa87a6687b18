// What becomes of each row: numbers, destinations, duplicates, time zones; lenient and strict.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { rowReasons } from '../../src/domain/refusal.ts'
import { readBytes, readContacts, refusalOf, taken } from './reading.ts'

test('numbers are read with the region that the rules name', async () => {
  const list =
    'phone\n9876543210\n0091 98765 43211\n09876543212\n+12025550101\n9.19E+11\n9876543213/9876543214\n'
  const reading = await readBytes(list, { region: 'IN' })
  assert.deepEqual(
    [...reading.accepted].map(([row, { number }]) => [row, number]),
    [
      [2, '+919876543210'],
      [3, '+919876543211'],
      [4, '+919876543212'],
      [5, '+12025550101'],
    ],
  )
  assert.deepEqual(
    [...reading.rejected],
    [
      [6, ['invalid_phone', '9.19E+11']],
      [7, ['ambiguous_phone', '9876543213/9876543214']],
    ],
  )
})

test('a number that came before is a duplicate, however it is written', async () => {
  const reading = await readBytes('phone,n\n+919876543210,1\n98765 43210,2\n9876543211,3\n', { region: 'IN' })
  assert.deepEqual([...reading.accepted.keys()], [2, 4])
  assert.deepEqual([...reading.rejected], [[3, ['duplicate', '98765 43210']]])
})

test('destinations that are not enabled are left out with their reason', async () => {
  const list = 'phone\n+12025550101\n+919876543210\n+918123456789\n'
  const some = await readBytes(list, { destinations: [{ country: 'IN', prefixes: ['+9198'] }] })
  assert.deepEqual(
    [...some.rejected.values()].map(([code]) => code),
    ['unsupported_country', 'unsupported_prefix'],
  )
  const none = await readBytes(list, { destinations: [] })
  assert.deepEqual(
    [...none.rejected.values()].map(([code]) => code),
    Array(3).fill('no_enabled_countries'),
  )
})

test('a time zone column wins over the prefix, and stays a variable', async () => {
  const list =
    'phone,TimeZone\n+12025550101,asia/kolkata\n+12025550102,\n+12025550103,Mars/Base\n+12025550104,EST\n+870773111632,\n'
  const reading = await readBytes(list)
  assert.deepEqual(
    [...reading.accepted.values()].map(({ zone }) => zone),
    ['Asia/Kolkata', 'America/New_York', 'Etc/UTC'],
  )
  assert.deepEqual(reading.accepted.get(2)?.variables, { TimeZone: 'asia/kolkata' })
  assert.deepEqual(
    [...reading.rejected.values()],
    [
      ['invalid_timezone', 'Mars/Base'],
      ['invalid_timezone', 'EST'],
    ],
  )
})

test('strict mode refuses a list with grouped reasons and row numbers, and hands over nothing', async () => {
  const rows = ['+12025550101', 'x', '+919876543210', '', '+12025550101', '+12', '"",a']
  const refusal = await refusalOf(() =>
    readBytes(`phone,a\n${rows.join('\n')}\n`, { mode: 'strict', destinations: [{ country: 'US' }] }),
  )
  assert.deepEqual([refusal.kind, refusal.code], ['invalid', 'strict_rows'])
  assert.deepEqual(refusal.details, {
    errors: [
      { reason: rowReasons.invalid_phone, code: 'invalid_phone', count: 2, rows: [3, 7] },
      { reason: rowReasons.unsupported_country, code: 'unsupported_country', count: 1, rows: [4] },
      { reason: rowReasons.missing_phone, code: 'missing_phone', count: 1, rows: [8] },
    ],
  })
  assert.equal(taken, 0)
})

test('strict mode lists a hundred rows of a reason and counts them all', async () => {
  const refusal = await refusalOf(() => readBytes(`phone\n${'x\n'.repeat(250)}`, { mode: 'strict' }))
  const [group] = refusal.details.errors as { count: number; rows: number[] }[]
  assert.deepEqual([group?.count, group?.rows.length, group?.rows[99]], [250, 100, 101])
})

test('strict mode leaves duplicates out and reports them, like lenient mode', async () => {
  const reading = await readBytes('phone\n+12025550101\n+12025550101\n+12025550102\n', { mode: 'strict' })
  assert.deepEqual([[...reading.accepted.keys()], [...reading.rejected.keys()]], [[2, 4], [3]])
})

test('contacts keep their values as they are, and their place is their row number', async () => {
  const contacts = [
    { phone: '+12025550101', name: 'Ann', age: 30, tags: ['a', { b: null }] },
    JSON.parse('{"Phone": 12025550102, "__proto__": {"polluted": true}}'),
    { name: 'no number' },
    { phone: { n: 1 } },
    { phone: '+12025550103', timezone: 'Asia/Tokyo' },
    { phone: '+12025550104', timezone: 9 },
  ]
  const reading = await readContacts(contacts)
  assert.deepEqual(reading.accepted.get(1)?.variables, { name: 'Ann', age: 30, tags: ['a', { b: null }] })
  assert.equal(JSON.stringify(reading.accepted.get(2)?.variables), '{"__proto__":{"polluted":true}}')
  assert.equal(reading.accepted.get(5)?.zone, 'Asia/Tokyo')
  assert.deepEqual(
    [...reading.rejected],
    [
      [3, ['missing_phone', null]],
      [4, ['invalid_phone', '{"n":1}']],
      [6, ['invalid_timezone', '9']],
    ],
  )
  assert.deepEqual([reading.rows, reading.headers], [6, ['phone', 'name', 'age', 'tags']])
  assert.equal(({} as Record<string, unknown>).polluted, undefined)
})

test('a contact with a bad number refuses the list where the rules say so, naming it', async () => {
  const contacts = [{ phone: '+12025550101' }, { phone: '2025550102' }]
  const refusal = await refusalOf(() => readContacts(contacts, { numbers: 'e164', refuseBadContact: true }))
  assert.deepEqual(
    [refusal.code, refusal.details],
    ['invalid_phone_format', { index: 1, number: '2025550102' }],
  )
  const missing = await refusalOf(() =>
    readContacts([{ name: 'Ann' }], { numbers: 'e164', refuseBadContact: true }),
  )
  assert.deepEqual([missing.code, missing.details], ['invalid_phone_format', { index: 0, number: '' }])
})

test('contacts that are no objects, or none at all, are refused', async () => {
  for (const contact of [null, 7, 'x', ['+12025550101']]) {
    const refusal = await refusalOf(() => readContacts([{ phone: '+12025550101' }, contact]))
    assert.deepEqual([refusal.code, refusal.details], ['invalid_contacts', { index: 1 }])
  }
  assert.equal((await refusalOf(() => readContacts([]))).code, 'invalid_contacts')
})

test('a JSON file is an array of contacts or holds one', async () => {
  const contacts = [{ phone: '+12025550101', n: 1 }]
  for (const list of [contacts, { contacts }, { recipients: contacts }]) {
    const reading = await readBytes(JSON.stringify(list, null, 2))
    assert.deepEqual(reading.accepted.get(1)?.variables, { n: 1 })
  }
  for (const text of ['{"a":1}', '{}', '[]', '[{"phone":', '{"contacts":{}}'])
    assert.equal((await refusalOf(() => readBytes(text))).code, 'invalid_contacts', text)
})

test('every row ends accepted or rejected, once, whatever stands in it', async () => {
  const seed = Date.now() % 2 ** 31
  const cell = fc.oneof(
    fc.constantFrom('+12025550101', '+12025550102', '9876543210', '', ' ', '"', "'", '+', '\t', ';'),
    fc.string({ maxLength: 12 }),
  )
  const list = fc.array(fc.tuple(cell, cell), { minLength: 1, maxLength: 30 })
  await fc.assert(
    fc.asyncProperty(list, async rows => {
      const quote = (text: string) => `"${text.replaceAll('"', '""').replaceAll('\0', '')}"`
      const blank = rows.every(cells => cells.every(text => text.replaceAll('\0', '').trim() === ''))
      const text = `phone,note\n${rows.map(cells => cells.map(quote).join(',')).join('\n')}\n`
      if (blank) return
      const reading = await readBytes(text, { region: 'IN' })
      const notBlank = rows.filter(cells => cells.some(text => text.replaceAll('\0', '').trim() !== ''))
      assert.equal(reading.rows, notBlank.length)
      assert.equal(reading.accepted.size + reading.rejected.size, reading.rows)
    }),
    { seed, numRuns: 25 },
  )
})
