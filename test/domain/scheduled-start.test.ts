// How a start time is read: as an instant, or on the wall clock of a zone.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { resolveStart } from '../../src/domain/scheduled-start.ts'

function read(text: string, zone: string): string {
  const start = resolveStart(text, zone)
  return 'at' in start ? new Date(start.at).toISOString() : start.error
}

test('a naive time is read in the zone, in winter and in summer', () => {
  assert.equal(read('2025-02-28T09:00:00', 'America/New_York'), '2025-02-28T14:00:00.000Z')
  assert.equal(read('2025-07-01T09:00:00', 'America/New_York'), '2025-07-01T13:00:00.000Z')
  assert.equal(read('2025-07-01T09:00', 'Asia/Kolkata'), '2025-07-01T03:30:00.000Z')
})

test('a time with Z or an offset is an instant, whatever the zone', () => {
  assert.equal(read('2025-02-28T14:00:00Z', 'Asia/Tokyo'), '2025-02-28T14:00:00.000Z')
  for (const offset of ['+05:30', '+0530', ' +05:30'])
    assert.equal(read(`2025-02-28T09:00:00${offset}`, 'America/New_York'), '2025-02-28T03:30:00.000Z')
  assert.equal(read('2025-02-28T09:00-05', 'UTC'), '2025-02-28T14:00:00.000Z')
})

test('seconds, fractions, a space and lower case letters are read', () => {
  assert.equal(read('2025-02-28 09:00', 'UTC'), '2025-02-28T09:00:00.000Z')
  assert.equal(read('2025-02-28T09:00:30.5', 'UTC'), '2025-02-28T09:00:30.500Z')
  assert.equal(read('2025-02-28t09:00:30.123456z', 'UTC'), '2025-02-28T09:00:30.123Z')
  assert.equal(read('  2025-02-28T09:00Z  ', 'UTC'), '2025-02-28T09:00:00.000Z')
})

test('a time inside a DST gap starts at the first valid minute after it', () => {
  assert.equal(read('2027-03-14T02:00', 'America/New_York'), '2027-03-14T07:00:00.000Z')
  assert.equal(read('2027-03-14T02:59:59', 'America/New_York'), '2027-03-14T07:00:00.000Z')
  assert.equal(read('2027-03-14T03:00', 'America/New_York'), '2027-03-14T07:00:00.000Z')
  assert.equal(read('2026-10-04T02:10', 'Australia/Lord_Howe'), '2026-10-03T15:30:00.000Z')
})

test('a time that occurs twice means its first occurrence', () => {
  assert.equal(read('2026-11-01T01:30', 'America/New_York'), '2026-11-01T05:30:00.000Z')
  assert.equal(read('2026-10-25T02:30', 'Europe/Berlin'), '2026-10-25T00:30:00.000Z')
})

test('dates alone, bracketed zones, impossible and far-off times are refused', () => {
  const refused = [
    '',
    'tomorrow',
    '1740733200',
    '2025-02-28',
    '2025-02-30T09:00',
    '2025-02-28T24:00',
    '2025-02-28T09',
    '2025-13-01T09:00',
    '2025-02-28T09:00[Europe/Berlin]',
    '2025-02-28T09:00Z[UTC]',
    '2025-02-28T09:00+99:00',
    '1999-12-31T23:59Z',
    '2200-01-01T00:00Z',
    '+002025-02-28T09:00',
    '2025-02-28T09:00:00.1234567890Z',
  ]
  for (const text of refused) assert.equal(read(text, 'UTC'), 'invalid_time', text)
})

test('an unknown zone is refused, also beside an instant', () => {
  assert.equal(read('2025-02-28T09:00:00Z', 'Invalid/Zone'), 'invalid_timezone')
  assert.equal(read('2025-02-28T09:00:00', '+05:30'), 'invalid_timezone')
})
