// When a delivery is tried again: each format's own instants, what the receiver asked for, and how long order is kept.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { afterTry, maxOrderHoldMs, type RetrySchedule } from '../../src/webhooks/retry-schedule.ts'
import { everyFormat } from './webhook-desk.ts'

const scheduleOf = (name: string): RetrySchedule => everyFormat.find(format => format.name === name)!.schedule
const now = Date.UTC(2030, 0, 1)
const seconds = 1_000

/** Instants of all tries of a delivery that is always answered so, in s from the first. */
function instants(schedule: RetrySchedule, status: number | null, chance = 0): number[] {
  const tried = [0]
  for (let tries = 1; ; tries++) {
    const at = now + tried.at(-1)! * seconds
    const answer = { status, retryAfter: null }
    const next = afterTry(schedule, answer, { tries, firstAt: now, now: at, random: () => chance })
    if (next.kind !== 'retry') return tried
    tried.push((next.dueAt - now) / seconds)
  }
}

test('each format is tried again at its own instants', () => {
  assert.deepEqual(instants(scheduleOf('formant'), 500), [0, 30, 300])
  assert.deepEqual(instants(scheduleOf('talkifai'), 500), [0, 30, 330, 2_130])
  assert.deepEqual(instants(scheduleOf('dialnexa'), null), [0, 30, 330, 2_130])
  const ours = instants(scheduleOf('outdial'), 500)
  assert.equal(ours.length, 14)
  assert.deepEqual(ours.slice(0, 6), [0, 5, 20, 50, 110, 230])
  assert.ok(ours.at(-1)! > 23 * 3_600 && ours.at(-1)! <= 24 * 3_600, 'up to a day')
})

test('chance takes a part of our delays, none of the vendors’', () => {
  const ours = instants(scheduleOf('outdial'), 500, 1)
  assert.equal(ours[1], 4)
  assert.deepEqual(instants(scheduleOf('formant'), 500, 1), [0, 30, 300])
})

test('which answers are tried again', () => {
  const tries = (name: string, status: number | null) => instants(scheduleOf(name), status).length
  for (const status of [null, 429, 500, 503]) assert.equal(tries('formant', status), 3, String(status))
  for (const status of [301, 400, 404, 410, 422]) assert.equal(tries('formant', status), 1, String(status))
  for (const status of [null, 302, 400, 404, 429, 500])
    assert.equal(tries('outdial', status), 14, String(status))
  for (const status of [200, 201, 204, 299, 410]) assert.equal(tries('outdial', status), 1, String(status))
})

test('Retry-After is waited for when it is longer, in seconds or as a date, up to a day', () => {
  const wait = (retryAfter: string, name = 'outdial') => {
    const tried = { tries: 1, firstAt: now, now, random: () => 0 }
    const next = afterTry(scheduleOf(name), { status: 429, retryAfter }, tried)
    return next.kind === 'retry' ? (next.dueAt - now) / seconds : null
  }
  assert.equal(wait('120'), 120)
  assert.equal(wait('1'), 5)
  assert.equal(wait('120', 'formant'), 120)
  assert.equal(wait(new Date(now + 90 * seconds).toUTCString()), 90)
  assert.equal(wait(new Date(now - 90 * seconds).toUTCString()), 5)
  assert.equal(wait('999999999'), 86_400)
  for (const nonsense of ['soon', '-5', '1e9', ' ']) assert.equal(wait(nonsense), 5, nonsense)
})

test('a delivery holds its batch up for minutes and is overtaken then', () => {
  const held = (schedule: RetrySchedule) => {
    for (let tries = 1, at = now; ; tries++) {
      const answer = { status: 500, retryAfter: null }
      const next = afterTry(schedule, answer, { tries, firstAt: now, now: at, random: () => 0 })
      if (next.kind !== 'retry' || next.overtaken) return (at - now) / seconds
      at = next.dueAt
    }
  }
  assert.equal(held(scheduleOf('outdial')), 230)
  assert.equal(held(scheduleOf('formant')), 300)
  assert.equal(held(scheduleOf('talkifai')), 30)
  assert.ok(maxOrderHoldMs <= 300 * seconds)
})
