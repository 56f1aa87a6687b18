// What must hold after every journey, whatever happened in it.
import assert from 'node:assert/strict'
import { isOpen } from '../../src/domain/calling-window.ts'
import type { Switchboard } from './switchboard.ts'
import type { SeenCall, WatchedCarrier } from './watched-carrier.ts'

/** Never twice, never over, never out of hours, nothing missed by a wake-up, counters equal to a recount. */
export async function assertPromises(board: Switchboard): Promise<void> {
  assertNeverTwice(board.carrier)
  assertNeverOver(board)
  assertNeverOutOfHours(board)
  for (const [index, dispatcher] of board.dispatchers.entries())
    assert.equal(dispatcher.figures().sweepFound, 0, `found only by the sweep of node ${index + 1}`)
  for (const name of board.batches.keys()) await assertCounts(board, name)
}

/** No Call-ID comes in twice, nobody is called twice at a time, nobody is called again who had answered. */
export function assertNeverTwice(carrier: WatchedCarrier): void {
  const callIds = new Set(carrier.calls.map(call => call.callId))
  assert.equal(callIds.size, carrier.calls.length, 'a Call-ID was dialled twice')
  for (const [scope, open] of carrier.maxOpen)
    if (scope.startsWith('number:')) assert.equal(open, 1, `calls to ${scope} at one time`)
  const reached = new Set<string>()
  for (const call of carrier.calls) {
    const person = `${call.batch} ${call.to}`
    assert.ok(!reached.has(person), `${person} was rung again after an answer`)
    if (wasReached(call)) reached.add(person)
  }
}

/** A talk that broke because of our agent is the policy's to repeat. */
function wasReached({ answeredAt, evidence }: SeenCall): boolean {
  return answeredAt !== null && evidence?.agentFailed !== true
}

export function assertNeverOver({ carrier, limits }: Switchboard): void {
  for (const [scope, limit] of limits) {
    const open = carrier.maxOpen.get(scope) ?? 0
    assert.ok(open <= limit, `${open} calls were open in ${scope}, which allows ${limit}`)
  }
}

function assertNeverOutOfHours({ carrier, batches }: Switchboard): void {
  for (const { batch, zone, dialledAt } of carrier.calls) {
    const { window } = batches.get(batch)!
    assert.ok(isOpen(window, zone, dialledAt), `${batch} rang at ${new Date(dialledAt).toISOString()}`)
  }
}

/** Counters equal a recount, and everybody who was imported stands somewhere. */
export async function assertCounts(board: Switchboard, name: string): Promise<void> {
  const batch = await board.batch(name)
  const recounted = await board.store.recount(batch.id)
  assert.deepEqual(batch.progress, recounted, `counters of ${name}`)
  const people = Object.values(batch.progress.counts).reduce((sum, count) => sum + count, 0)
  assert.equal(people, batch.totalRecipients, `people of ${name}`)
}

/** Time between each call and the next, ms. */
export function spacings(calls: readonly SeenCall[]): number[] {
  return calls.slice(1).map((call, index) => call.dialledAt - calls[index]!.dialledAt)
}

/** Smallest spacing of the calls that came over one trunk or for one batch. */
export const minSpacing = (calls: readonly SeenCall[]): number =>
  Math.min(Number.POSITIVE_INFINITY, ...spacings(calls))
