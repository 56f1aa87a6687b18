// Telephone prefixes and the time zones they stand for.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { isIanaZone } from '../../src/domain/zone.ts'
import prefixTable from '../../src/domain/zones/prefix-zones.json' with { type: 'json' }
import { zonesOf } from '../../src/domain/zones/zones-of.ts'

test('the longest prefix of a number decides its zone', () => {
  assert.equal(zonesOf('+919876543210'), 'Asia/Kolkata')
  assert.equal(zonesOf('+12025550101'), 'America/New_York')
  assert.equal(zonesOf('+14155552671'), 'America/Los_Angeles')
  assert.equal(zonesOf('+33612345678'), 'Europe/Paris')
})

test('a prefix that spans several zones keeps them all', () => {
  assert.deepEqual(zonesOf('+447911123456')?.split('|'), [
    'Europe/Guernsey',
    'Europe/Isle_of_Man',
    'Europe/London',
  ])
  assert.ok((zonesOf('+18005550101') ?? '').split('|').includes('Pacific/Honolulu'))
})

test('a prefix without a zone has none', () => {
  assert.equal(zonesOf('+99912345678'), null)
})

test('every zone of the table exists, and no prefix stands in it twice', () => {
  const zones = new Set(Object.keys(prefixTable).flatMap(joined => joined.split('|')))
  assert.deepEqual(
    [...zones].filter(zone => !isIanaZone(zone)),
    [],
  )
  const prefixes = Object.values(prefixTable).flatMap(joined => joined.split(' '))
  assert.equal(new Set(prefixes).size, prefixes.length)
  assert.ok(prefixes.length > 3_000)
})
