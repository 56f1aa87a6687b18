// What keeps a list from hurting anybody else: bounds, back-pressure, and a thread of its own.
import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { type IngestSink, ingestList } from '../../src/ingest/ingest.ts'
import { openNumberSet } from '../../src/ingest/number-set.ts'
import { readBytes, readContacts, refusalOf, rules, taken } from './reading.ts'

const list = (rows: number) =>
  `phone,n\n${Array.from({ length: rows }, (_, n) => `+1202${2_000_000 + n},${n}`).join('\n')}\n`

async function ingestText(text: string, sink: IngestSink) {
  const folder = mkdtempSync(join(tmpdir(), 'outdial-limits-'))
  const path = join(folder, 'upload')
  writeFileSync(path, text)
  try {
    return await ingestList(
      { kind: 'file', path, fileName: 'a.csv', bytes: text.length, sha256: '' },
      rules,
      sink,
    )
  } finally {
    rmSync(folder, { recursive: true })
  }
}

test('a file larger than allowed is refused without being read', async () => {
  const refusal = await refusalOf(() => readBytes(list(10), { maxBytes: 50 }))
  assert.deepEqual(
    [refusal.kind, refusal.code, refusal.details.maxBytes],
    ['too-large', 'file_too_large', 50],
  )
})

test('a list of as many contacts as allowed is read, and one more is too many', async () => {
  assert.equal((await readBytes(list(20), { maxRows: 20 })).rows, 20)
  const file = await refusalOf(() => readBytes(list(21), { maxRows: 20 }))
  const contacts = await refusalOf(() =>
    readContacts(Array(21).fill({ phone: '+12025550101' }), { maxRows: 20 }),
  )
  for (const refusal of [file, contacts])
    assert.deepEqual(
      [refusal.kind, refusal.code, refusal.details],
      ['invalid', 'too_many_contacts', { max: 20 }],
    )
})

test('rows arrive in order, in chunks, each after the one before was taken', async () => {
  let next = 2
  let busy = false
  await ingestText(list(3_000), {
    async take(accepted) {
      assert.equal(busy, false)
      busy = true
      assert.ok(accepted.length <= 1_000)
      for (const { rowNumber } of accepted) assert.equal(rowNumber, next++)
      await new Promise(resolve => setImmediate(resolve))
      busy = false
    },
  })
  assert.equal(next, 3_002)
})

test('contacts by the thousand arrive whole and in order', async () => {
  const contacts = Array.from({ length: 3_000 }, (_, n) => ({ phone: `+1202${2_000_000 + n}`, n }))
  const reading = await readContacts(contacts)
  assert.equal(reading.rows, 3_000)
  assert.deepEqual(
    [...reading.accepted].map(([row, { variables }]) => row - 1 - Number(variables.n)),
    Array(3_000).fill(0),
  )
})

test('an error of the sink ends the reading and passes on', async () => {
  const broken = new Error('disk full')
  let calls = 0
  const reading = ingestText(list(9_000), {
    async take() {
      calls++
      throw broken
    },
  })
  await assert.rejects(reading, error => error === broken)
  assert.equal(calls, 1)
})

test('a list that takes too long is given up', async () => {
  const refusal = await refusalOf(() => readBytes(list(5_000), {}, { timeoutMs: 0, maxOldGenerationMb: 256 }))
  assert.deepEqual([refusal.kind, refusal.code], ['too-large', 'ingest_timeout'])
})

test('a list that takes too much memory ends its worker and nothing else', async () => {
  const contacts = Array.from({ length: 300_000 }, (_, n) => ({ phone: `${n}`, a: { b: { c: [n] } } }))
  const limits = { timeoutMs: 60_000, maxOldGenerationMb: 48 }
  const refusal = await refusalOf(() =>
    readBytes(JSON.stringify(contacts), { maxBytes: 100_000_000 }, limits),
  )
  assert.deepEqual([refusal.kind, refusal.code], ['too-large', 'ingest_memory'])
  assert.equal((await readBytes(list(3))).rows, 3)
})

test('a file with a fault at its end has handed rows over by then: the import has to be discarded', async () => {
  const refusal = await refusalOf(() => readBytes(`${list(2_000)}+12025550101,"open\n`))
  assert.deepEqual([refusal.code, refusal.details.row], ['unclosed_quote', 2_002])
  assert.ok(taken > 0)
})

test('lists read at the same time do not meet', async () => {
  const readings = await Promise.all([10, 20, 30].map(rows => ingestCount(rows)))
  assert.deepEqual(readings, [10, 20, 30])
})

async function ingestCount(rows: number): Promise<number> {
  let count = 0
  await ingestText(list(rows), {
    async take(accepted) {
      count += accepted.length
    },
  })
  return count
}

test('the set of numbers holds what it was given, however many', () => {
  const set = openNumberSet()
  const numbers = Array.from(
    { length: 20_000 },
    (_, n) => 910_000_000_000 + ((n * 7_919_000) % 99_999_999_999),
  )
  const distinct = new Set(numbers)
  assert.equal(numbers.filter(number => set.add(number)).length, distinct.size)
  assert.ok(numbers.every(number => !set.add(number)))
})
