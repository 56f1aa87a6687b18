// When we may ring: weekdays and hours in the recipient's own zone, checked when the call is placed.
import { offsetSpan } from './zone.ts'

/** Open from `from` (included) to `to` (excluded) on `days`. `to` may be `24:00`. Several spans add up. */
export interface CallingSpan {
  /** ISO weekdays, 1 = Monday … 7 = Sunday. */
  days: readonly number[]
  /** `HH:MM` */
  from: string
  /** `HH:MM`, later than `from` */
  to: string
}
export type CallingWindow = readonly CallingSpan[]

const minuteMs = 60_000
const dayMs = 24 * 60 * minuteMs

/** Two zones may meet only while one of them has summer time: look a year ahead before saying never. */
const lookAheadMs = 400 * dayMs
const maxSpans = 50

/** What holds on SIP trunks when nobody said anything: 8:00 to 21:00 on all days (US TCPA hours). */
export const defaultSipWindow: CallingWindow = [{ days: [1, 2, 3, 4, 5, 6, 7], from: '08:00', to: '21:00' }]

/**
 * Whether a call may be placed at `now` (epoch ms) to somebody in `zone`: an IANA zone, or several joined by `|`, then
 * only while it is open in all of them. A null window is always open; an unknown zone never.
 */
export function isOpen(window: CallingWindow | null, zone: string, now: number): boolean {
  if (window === null) return true
  if (!zone.includes('|')) return isOpenInZone(window, zone, now)
  return zone.split('|').every(one => isOpenInZone(window, one, now))
}

/**
 * The first instant from `now` on at which it is open: `now` itself, or the start of a minute. null: never (an unknown
 * zone, an empty window, zones that never meet). Across a DST gap a span that starts inside it opens when the gap ends.
 */
export function nextOpening(window: CallingWindow | null, zone: string, now: number): number | null {
  if (window === null) return now
  const zones = zone.split('|')
  let at = now
  while (at <= now + lookAheadMs) {
    let latest = at
    for (const one of zones) {
      const opens = nextOpeningInZone(window, one, latest)
      if (opens === null) return null
      latest = opens
    }
    if (latest === at) return at
    at = latest
  }
  return null
}

/** What is wrong with a window that somebody sent, as a sentence that names the place; null: nothing. */
export function windowError(value: unknown): string | null {
  if (!Array.isArray(value)) return 'A calling window must be a list of spans {days, from, to}.'
  if (value.length === 0 || value.length > maxSpans)
    return `A calling window must have 1 to ${maxSpans} spans.`
  for (const [index, span] of value.entries()) {
    const wrong = spanError(span)
    if (wrong !== null) return `Span ${index + 1} of the calling window: ${wrong}.`
  }
  return null
}

function spanError(span: unknown): string | null {
  if (typeof span !== 'object' || span === null) return 'must be an object {days, from, to}'
  const { days, from, to } = span as Record<string, unknown>
  const isWeekday = (day: unknown) => Number.isInteger(day) && Number(day) >= 1 && Number(day) <= 7
  if (!Array.isArray(days) || days.length === 0 || days.length > 7 || !days.every(isWeekday))
    return 'days must list weekdays from 1 (Monday) to 7 (Sunday)'
  if (typeof from !== 'string' || Number.isNaN(minuteOf(from)) || from === '24:00')
    return 'from must be a time such as 09:00'
  if (typeof to !== 'string' || Number.isNaN(minuteOf(to)))
    return 'to must be a time such as 18:00, at most 24:00'
  return minuteOf(to) > minuteOf(from) ? null : 'to must be later than from; a night is written as two spans'
}

function isOpenInZone(window: CallingWindow, zone: string, now: number): boolean {
  const span = offsetSpan(zone, now)
  return span !== null && isOpenAtLocal(window, now + span.offsetMs)
}

function isOpenAtLocal(window: CallingWindow, local: number): boolean {
  const day = Math.floor(local / dayMs)
  const minute = Math.floor((local - day * dayMs) / minuteMs)
  for (const { days, from, to } of window)
    if (days.includes(weekdayOf(day)) && minute >= minuteOf(from) && minute < minuteOf(to)) return true
  return false
}

/** Walks from one offset to the next: while an offset holds, local time runs as evenly as UTC. */
function nextOpeningInZone(window: CallingWindow, zone: string, now: number): number | null {
  let at = now
  while (at <= now + lookAheadMs) {
    const span = offsetSpan(zone, at)
    if (span === null) return null
    const local = nextOpenLocal(window, at + span.offsetMs)
    if (local === null) return null
    const opens = local - span.offsetMs
    if (opens < span.until) return opens
    at = span.until
  }
  return null
}

/** The first open local time from `local` on, within a week and a day; local times are ms since 1970 on the wall clock. */
function nextOpenLocal(window: CallingWindow, local: number): number | null {
  if (isOpenAtLocal(window, local)) return local
  const today = Math.floor(local / dayMs)
  for (let day = today; day <= today + 7; day++) {
    let first = Number.POSITIVE_INFINITY
    for (const { days, from, to } of window) {
      const start = day * dayMs + minuteOf(from) * minuteMs
      if (days.includes(weekdayOf(day)) && start > local && minuteOf(to) > minuteOf(from))
        first = Math.min(first, start)
    }
    if (Number.isFinite(first)) return first
  }
  return null
}

/** ISO weekday of a day counted from 1970-01-01, a Thursday. */
function weekdayOf(day: number): number {
  return ((((day + 3) % 7) + 7) % 7) + 1
}

/** Minutes since midnight of `HH:MM`, 00:00 to 24:00; NaN for anything else, which no comparison lets pass. */
function minuteOf(text: string): number {
  if (text.length !== 5 || text[2] !== ':') return Number.NaN
  const hour = digit(text, 0) * 10 + digit(text, 1)
  const minute = digit(text, 3) * 10 + digit(text, 4)
  const total = hour * 60 + minute
  return minute < 60 && total <= 24 * 60 ? total : Number.NaN
}

function digit(text: string, at: number): number {
  const value = text.charCodeAt(at) - 48
  return value >= 0 && value <= 9 ? value : Number.NaN
}
