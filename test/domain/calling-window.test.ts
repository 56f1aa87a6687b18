// When it is lawful to ring: hours in the recipient's zone, over DST changes and across several zones.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import {
  type CallingWindow,
  defaultSipWindow,
  isOpen,
  nextOpening,
  windowError,
} from '../../src/domain/calling-window.ts'
import { isIanaZone } from '../../src/domain/zone.ts'

const everyDay = [1, 2, 3, 4, 5, 6, 7]
const utc = (text: string) => Date.parse(`${text}Z`)
const opens = (window: CallingWindow | null, zone: string, from: string) => {
  const at = nextOpening(window, zone, utc(from))
  return at === null ? null : new Date(at).toISOString().slice(0, 19)
}

test('the window is read on the clock of the recipient, not on ours', () => {
  assert.equal(isOpen(defaultSipWindow, 'America/New_York', utc('2026-11-23T12:59:59')), false)
  assert.equal(isOpen(defaultSipWindow, 'America/New_York', utc('2026-11-23T13:00:00')), true)
  assert.equal(isOpen(defaultSipWindow, 'Europe/Berlin', utc('2026-11-23T19:59:59')), true)
  assert.equal(isOpen(defaultSipWindow, 'Europe/Berlin', utc('2026-11-23T20:00:00')), false)
})

test('summer and winter offsets are those of the instant of the call', () => {
  assert.equal(opens(defaultSipWindow, 'America/New_York', '2026-07-01T04:00:00'), '2026-07-01T12:00:00')
  assert.equal(opens(defaultSipWindow, 'America/New_York', '2026-12-01T04:00:00'), '2026-12-01T13:00:00')
  assert.equal(opens(defaultSipWindow, 'America/New_York', '2026-11-01T03:00:00'), '2026-11-01T13:00:00')
})

test('zones at half and quarter hours open on their own minute', () => {
  assert.equal(opens(defaultSipWindow, 'Asia/Kolkata', '2026-11-23T00:00:00'), '2026-11-23T02:30:00')
  assert.equal(opens(defaultSipWindow, 'Asia/Kathmandu', '2026-11-23T00:00:00'), '2026-11-23T02:15:00')
})

test('a span that starts inside a DST gap opens when the gap ends, and one wholly inside it opens a week later', () => {
  const early: CallingWindow = [{ days: [7], from: '02:15', to: '04:00' }]
  assert.equal(opens(early, 'America/New_York', '2027-03-14T05:00:00'), '2027-03-14T07:00:00')
  const inside: CallingWindow = [{ days: [7], from: '02:15', to: '02:45' }]
  assert.equal(opens(inside, 'America/New_York', '2027-03-14T05:00:00'), '2027-03-21T06:15:00')
})

test('an hour that occurs twice is open twice', () => {
  const oneToTwo: CallingWindow = [{ days: [7], from: '01:00', to: '02:00' }]
  for (const at of ['2026-11-01T05:30:00', '2026-11-01T06:30:00'])
    assert.equal(isOpen(oneToTwo, 'America/New_York', utc(at)), true)
  const halfPast: CallingWindow = [{ days: [7], from: '01:30', to: '01:45' }]
  assert.equal(opens(halfPast, 'America/New_York', '2026-11-01T05:50:00'), '2026-11-01T06:30:00')
})

test('a number in several zones is callable only while all of them are open', () => {
  const zones = 'America/New_York|America/Los_Angeles'
  assert.equal(isOpen(defaultSipWindow, zones, utc('2026-11-23T14:00:00')), false)
  assert.equal(isOpen(defaultSipWindow, zones, utc('2026-11-23T16:00:00')), true)
  assert.equal(opens(defaultSipWindow, zones, '2026-11-23T05:00:00'), '2026-11-23T16:00:00')
  assert.equal(opens(defaultSipWindow, zones, '2026-11-24T02:00:00'), '2026-11-24T16:00:00')
})

test('zones whose windows never meet, an empty window and an unknown zone never open', () => {
  const oneMinute: CallingWindow = [{ days: everyDay, from: '09:00', to: '09:01' }]
  assert.equal(nextOpening(oneMinute, 'Europe/Berlin|Asia/Tokyo', utc('2026-11-23T00:00:00')), null)
  assert.equal(nextOpening([], 'UTC', 0), null)
  for (const zone of ['Mars/Olympus', '', 'Europe/Berlin|', 'Europe/Berlin|Nowhere', '+05:30', 'T00Z']) {
    assert.equal(isOpen(defaultSipWindow, zone, utc('2026-11-23T12:00:00')), false)
    assert.equal(nextOpening(defaultSipWindow, zone, utc('2026-11-23T12:00:00')), null)
  }
})

test('no window at all is always open', () => {
  assert.equal(isOpen(null, 'Mars/Olympus', 5), true)
  assert.equal(nextOpening(null, 'Mars/Olympus', 5), 5)
})

test('24:00 closes at midnight and meets a span that starts at 00:00', () => {
  const night: CallingWindow = [
    { days: [5], from: '22:00', to: '24:00' },
    { days: [6], from: '00:00', to: '02:00' },
  ]
  assert.equal(isOpen(night, 'UTC', utc('2026-11-27T23:59:59')), true)
  assert.equal(isOpen(night, 'UTC', utc('2026-11-28T00:00:00')), true)
  assert.equal(isOpen(night, 'UTC', utc('2026-11-28T02:00:00')), false)
  assert.equal(opens(night, 'UTC', '2026-11-28T02:00:00'), '2026-12-04T22:00:00')
})

test('several spans on one day add up, and weekends stay closed when they are not listed', () => {
  const office: CallingWindow = [
    { days: [1, 2, 3, 4, 5], from: '09:00', to: '12:00' },
    { days: [1, 2, 3, 4, 5], from: '14:00', to: '18:00' },
  ]
  assert.equal(opens(office, 'UTC', '2026-11-27T12:30:00'), '2026-11-27T14:00:00')
  assert.equal(opens(office, 'UTC', '2026-11-27T18:00:00'), '2026-11-30T09:00:00')
})

test('a window with broken times fails closed', () => {
  for (const from of ['9:00', '25:00', '09:60', 'ab:cd', ''])
    assert.equal(isOpen([{ days: everyDay, from, to: '24:00' }], 'UTC', utc('2026-11-23T12:00:00')), false)
})

test('the next opening is open, and the minutes before it are not', () => {
  const zones = [
    'America/New_York',
    'Europe/Berlin',
    'Asia/Kolkata',
    'Australia/Lord_Howe',
    'America/St_Johns|America/Chicago',
  ]
  const clock = fc.integer({ min: 0, max: 23 * 60 })
  const text = (minute: number) =>
    `${String(Math.floor(minute / 60)).padStart(2, '0')}:${String(minute % 60).padStart(2, '0')}`
  const span = fc
    .record({
      days: fc.subarray(everyDay, { minLength: 1 }),
      start: clock,
      length: fc.integer({ min: 1, max: 60 }),
    })
    .map(({ days, start, length }) => ({ days, from: text(start), to: text(start + length) }))
  fc.assert(
    fc.property(
      fc.array(span, { minLength: 1, maxLength: 3 }),
      fc.constantFrom(...zones),
      fc.integer({ min: utc('2026-01-01T00:00:00'), max: utc('2027-12-31T00:00:00') }),
      (window, zone, now) => {
        const at = nextOpening(window, zone, now)
        if (at === null) return
        assert.equal(isOpen(window, zone, at), true)
        for (let before = at - 1, n = 0; before >= now && n < 300; before -= 60_000, n++)
          assert.equal(isOpen(window, zone, before), false)
      },
    ),
  )
})

test('isOpen agrees with the wall clock that Temporal shows', () => {
  fc.assert(
    fc.property(
      fc.constantFrom('America/New_York', 'Australia/Lord_Howe', 'Africa/Casablanca', 'Asia/Kathmandu'),
      fc.integer({ min: 0, max: 4_000_000_000_000 }),
      (zone, now) => {
        const { hour } = Temporal.Instant.fromEpochMilliseconds(now).toZonedDateTimeISO(zone)
        assert.equal(isOpen(defaultSipWindow, zone, now), hour >= 8 && hour < 21)
      },
    ),
  )
})

test('what is wrong with a window is said in a sentence', () => {
  assert.equal(windowError(defaultSipWindow), null)
  assert.equal(windowError([{ days: [1], from: '20:00', to: '24:00' }]), null)
  const span = { days: [1], from: '09:00', to: '17:00' }
  const wrong: [unknown, RegExp][] = [
    ['always', /must be a list/],
    [[], /1 to 50 spans/],
    [[span, null], /Span 2 .*must be an object/],
    [[{ ...span, days: [] }], /days must list weekdays/],
    [[{ ...span, days: [0] }], /days must list weekdays/],
    [[{ ...span, days: ['1'] }], /days must list weekdays/],
    [[{ ...span, from: '9:00' }], /from must be a time/],
    [[{ ...span, from: '24:00' }], /from must be a time/],
    [[{ ...span, to: 17 }], /to must be a time/],
    [[{ ...span, to: '24:01' }], /to must be a time/],
    [[{ ...span, to: '09:00' }], /later than from/],
  ]
  for (const [value, sentence] of wrong) assert.match(windowError(value) ?? '', sentence)
})

test('zone names are known in any case, and offsets and time stamps are no zone names', () => {
  for (const name of ['UTC', 'utc', 'Asia/Calcutta', 'america/new_york', 'Etc/GMT+5'])
    assert.equal(isIanaZone(name), true)
  for (const name of [
    '',
    'Z',
    '+05:30',
    'T00Z',
    'Mars/Olympus',
    '2020-01-01T00:00[Europe/Berlin]',
    '__proto__',
  ])
    assert.equal(isIanaZone(name), false)
})
