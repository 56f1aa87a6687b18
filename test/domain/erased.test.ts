// Whose number a cell names, however somebody wrote it.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { erasedNumber, namesNumber } from '../../src/domain/erased.ts'
import { readPhoneNumber } from '../../src/domain/phone-number.ts'

test('a number is recognised in every spelling, and others are not', () => {
  const number = '+12025550163'
  const spellings = ['+1 (202) 555-0163', '2025550163', '202.555.0163', '0012025550163', 'tel:+12025550163']
  const among = ['+1 202 555 0163 ext. 4', '2025550199 / 2025550163']
  for (const cell of [...spellings, ...among]) assert.ok(namesNumber(cell, number), cell)
  for (const cell of ['+12025550164', '5550', '', 'n/a', '163', '+1 202 555 01'])
    assert.ok(!namesNumber(cell, number), cell)
  assert.ok(namesNumber('030 1234567', '+49301234567'))
})

test('what takes the place of a number is unique and cannot be dialled', () => {
  assert.notEqual(erasedNumber(10_000_001), erasedNumber(10_000_002))
  assert.equal(readPhoneNumber(erasedNumber(12_025_550_163), { region: 'US', rule: 'readable' }).ok, false)
})
