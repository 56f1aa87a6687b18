// Tables of text.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { textTable } from '../../src/cli/text-table.ts'

const columns = [
  { title: 'name', cell: (row: { name: string; calls: number }) => row.name },
  {
    title: 'calls',
    cell: (row: { name: string; calls: number }) => String(row.calls),
    align: 'right' as const,
  },
]

test('columns are as wide as their widest cell, numbers stand to the right', () => {
  const rows = [
    { name: 'Ada', calls: 3 },
    { name: 'Bjo\u0308rn Åkesson', calls: 12_345 },
  ]
  assert.deepEqual(textTable(rows, columns), [
    'name           calls',
    'Ada                3',
    'Bjo\u0308rn Åkesson  12345',
  ])
})

test('no rows are no table', () => {
  assert.deepEqual(textTable([], columns), [])
})
