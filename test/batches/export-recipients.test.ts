// A batch's people as CSV, safe to open in a spreadsheet.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import Papa from 'papaparse'
import { createBatch } from '../../src/batches/create-batch.ts'
import { csvCell, exportRecipients } from '../../src/batches/export-recipients.ts'
import { contactsSource } from '../../src/http/contacts.ts'
import { setUp } from './workbench.ts'

test('a cell that a spreadsheet would run is quoted, a telephone number is left as it is', () => {
  const cells: [string, string][] = [
    ['=1+1', "'=1+1"],
    ['@SUM(A1)', "'@SUM(A1)"],
    ['+1+1', "'+1+1"],
    ['-2', "'-2"],
    ['\tx', "'\tx"],
    ['+12025550101', '+12025550101'],
    ['+1', "'+1"],
    ['+12025550101x', "'+12025550101x"],
    ['plain', 'plain'],
    ['a,b', '"a,b"'],
    ['say "hi"', '"say ""hi"""'],
    ['=a,b', `"'=a,b"`],
    ['two\nlines', '"two\nlines"'],
    ['', ''],
  ]
  for (const [text, cell] of cells) assert.equal(csvCell(text), cell)
})

test('any cell is read back as it was, but for the apostrophe, and none begins a formula', () => {
  fc.assert(
    fc.property(fc.array(fc.string(), { minLength: 1 }), texts => {
      const line = `x,${texts.map(csvCell).join(',')}`
      const [cells] = Papa.parse<string[]>(line, { newline: '\r\n', delimiter: ',' }).data
      assert.deepEqual(
        cells?.slice(1).map((cell, index) => (cell === texts[index] ? cell : cell.slice(1))),
        texts,
      )
      for (const cell of cells?.slice(1) ?? []) assert.ok(!/^[=+\-@\t\r]/.test(cell) || /^\+\d+$/.test(cell))
    }),
    { verbose: 1 },
  )
})

test('everybody stands in the export with every variable that anybody has', async t => {
  const { deps, workspace, request } = await setUp(t)
  const source = contactsSource([
    { phone: '+12025550101', name: 'John', note: '=HYPERLINK("x")' },
    { phone: '+12025550102', city: 'Köln, NRW', tags: ['a'], constructor: 'c' },
  ])
  const { batch } = await createBatch(deps, request([], { source }))
  const chunks = await Array.fromAsync(await exportRecipients(deps, workspace.id, batch.id))
  const rows = Papa.parse<string[]>(chunks.join(''), { skipEmptyLines: true }).data
  const fixed = ['row', 'number', 'status', 'result', 'attempts', 'duration_seconds', 'cause', 'finished_at']
  assert.deepEqual(rows, [
    [...fixed, 'name', 'note', 'city', 'tags', 'constructor'],
    ['1', '+12025550101', 'queued', 'queued', '0', '', '', '', 'John', `'=HYPERLINK("x")`, '', '', ''],
    ['2', '+12025550102', 'queued', 'queued', '0', '', '', '', '', '', 'Köln, NRW', '["a"]', 'c'],
  ])
})

test('an export goes through all pages, and takes only those that were asked for', async t => {
  const { deps, workspace, request } = await setUp(t)
  const numbers = Array.from({ length: 1_201 }, (_, index) => `+1202555${String(index).padStart(4, '0')}`)
  const { batch } = await createBatch(deps, request(numbers))
  const text = async (filter: Parameters<typeof exportRecipients>[3]) =>
    (await Array.fromAsync(await exportRecipients(deps, workspace.id, batch.id, filter))).join('')
  assert.equal((await text({})).split('\r\n').length - 2, batch.totalRecipients)
  assert.equal((await text({ standings: ['answered'] })).split('\r\n').length - 2, 0)
})

test("another workspace's batch is not exported", async t => {
  const { deps, request } = await setUp(t)
  const { batch } = await createBatch(deps, request(['+12025550101']))
  const other = await deps.store.createWorkspace('other', 0)
  await assert.rejects(exportRecipients(deps, other.id, batch.id), { code: 'batch_not_found' })
})
