// The promises that can be broken by a single INVITE, asked at the moment when it reaches the far end.
//
// What excuses a call, and nothing else does:
//
//   fault                                             what it excuses
//   a commit's answer that comes late                 what was ordered between that commit and the INVITE, at most
//                                                     `maxPermissionMs`; as much spacing to a call of another node
//   a dialog that is written down before the INVITE    as much spacing as the writing took
//   a carrier that says "over" and holds the call,    that call's place and number: it counts as over from its word,
//   or does not confirm a hang-up                     or 5 s after the hang-up
//   a rescue that says "unknown", or nothing for      the same, and that its person may be rung again though they had
//   the whole quarantine                              answered
//   an answer of which no node that lived was told    that its person is rung again
//   an agent that failed                              the same: the policy says
//   a node's clock that is wrong                      hours and spacing by exactly as much as it was wrong
import { defaultSipWindow, isOpen } from '../../src/domain/calling-window.ts'
import type { EventLedger } from './event-ledger.ts'
import type { FarCall } from './far-call.ts'
import type { FarEnd, Permission } from './far-end.ts'
import type { Orders } from './orders.ts'
import type { Story } from './story.ts'

/** For so long a store's word is good. */
export const maxPermissionMs = 1_000

export interface DialChecksDeps {
  story: Story
  orders: Orders
  ledger: EventLedger
  farEnd: FarEnd
  isStopping(nodeId: string): boolean
}

export class DialChecks {
  readonly #deps: DialChecksDeps
  /** Last call of each paced lane. */
  readonly #last = new Map<string, FarCall>()
  readonly #dialled = new Map<string, FarCall[]>()

  constructor(deps: DialChecksDeps) {
    this.#deps = deps
  }

  check(call: FarCall, permission: Permission): void {
    this.#deps.ledger.read()
    this.#neverTwice(call)
    this.#neverIgnored(call, permission)
    this.#neverOver(call, permission)
    this.#neverOutOfHours(call, permission)
    this.#spaced(call)
  }

  #neverTwice(call: FarCall): void {
    const { story, farEnd } = this.#deps
    const { to, callId } = call.request
    const busy = farEnd.open(`number:${to}`)
    story.holds('never twice', busy === 0, () => `${to} is rung by ${callId} while another call is up`)
    const person = `${call.dialler.batch} ${to}`
    const before = this.#dialled.get(person) ?? []
    const answered = before.find(wasReached)
    const what = () => `${person} is rung by ${callId} after an answer to ${answered?.request.callId}`
    story.holds('never twice', answered === undefined, what)
    this.#dialled.set(person, [...before, call])
  }

  #neverIgnored(call: FarCall, { order, askedAt }: Permission): void {
    const { story, orders, ledger, isStopping } = this.#deps
    const { batch, nodeId } = call.dialler
    const { callId, to } = call.request
    const holds = (isTrue: boolean, what: string) =>
      story.holds('never ignored', isTrue, () => `${callId} was dialled although ${what}`)
    const age = call.dialledAt - askedAt
    holds(age <= maxPermissionMs, `the store was asked ${age} ms ago`)
    const forbidden = orders.forbids(batch, order)
    holds(forbidden === null, String(forbidden))
    const suppressedAt = ledger.suppressed.get(to)
    holds(suppressedAt === undefined || suppressedAt > order, `${to} is suppressed`)
    const pausedAt = ledger.selfPaused.get(orders.batches.get(batch)?.id ?? 0)
    holds(pausedAt === undefined || pausedAt > order, `${batch} had stopped by itself`)
    holds(!isStopping(nodeId), `${nodeId} was told to stop`)
  }

  #neverOver(call: FarCall, { order }: Permission): void {
    const { story, orders, farEnd } = this.#deps
    const { trunk, from, agentId } = call.request
    const scopes = [
      'workspace',
      `trunk:${trunk.id}`,
      `caller:${from}`,
      `agent:${agentId}`,
      `batch:${call.dialler.batch}`,
    ]
    for (const scope of scopes) {
      const limit = orders.limitOf(scope, order)
      const open = farEnd.open(scope) + 1
      const what = () => `${open} calls are up in ${scope}, which allows ${limit}`
      story.holds('never over', limit === null || open <= limit, what)
    }
  }

  #neverOutOfHours(call: FarCall, { order, askedAt, clockErrorMs }: Permission): void {
    const { story, orders } = this.#deps
    const { batch, zone } = call.dialler
    const asSeen = askedAt + clockErrorMs
    const open = orders
      .windowsOf(batch, order)
      .map(window => window ?? (call.request.trunk.kind === 'sip' ? defaultSipWindow : null))
      .some(window => isOpen(window, zone, clockErrorMs === 0 ? askedAt : asSeen))
    const what = () => `${call.request.to} in ${zone} is rung at ${new Date(call.dialledAt).toISOString()}`
    story.holds('never out of hours', open, what)
  }

  #spaced(call: FarCall): void {
    const { orders } = this.#deps
    const { trunk } = call.request
    const { batch } = call.dialler
    const trunkRate = orders.trunkRates.get(trunk.id)
    if (trunkRate !== undefined) this.#lane(`trunk ${trunk.id}`, trunkRate, call)
    const batchRate = orders.batches.get(batch)?.callsPerSecond ?? null
    if (batchRate !== null) this.#lane(batch, batchRate, call)
  }

  #lane(lane: string, callsPerSecond: number, call: FarCall): void {
    const last = this.#last.get(lane)
    this.#last.set(lane, call)
    if (last === undefined) return
    const spacing = call.dialledAt - last.dialledAt
    const isSameNode = last.dialler.nodeId === call.dialler.nodeId
    const excused = isSameNode ? writing(last) : lateness(last) + clockErrors(last, call)
    const what = () =>
      `${lane}: ${spacing} ms between two calls at ${callsPerSecond} a second (excused ${excused})`
    this.#deps.story.holds('never over', spacing + excused >= 1_000 / callsPerSecond, what)
  }
}

/** How much later than in its slot it left. */
const lateness = ({ dialledAt, dialler: { slotAt, slotErrorMs } }: FarCall) =>
  Math.max(0, dialledAt - (slotAt - slotErrorMs))

/** Between the dial, which is spaced, and the INVITE. */
const writing = ({ dialledAt, dialler: { orderedAt } }: FarCall) => dialledAt - orderedAt

/** How wrong the clocks were by which the two were given their slots, and placed. */
const clockErrors = (one: FarCall, other: FarCall) => clockError(one) + clockError(other)

const clockError = ({ dialler: { slotErrorMs, clockErrorMs } }: FarCall) =>
  Math.max(Math.abs(slotErrorMs), Math.abs(clockErrorMs))

const wasReached = ({ answeredAt, toldAnswered, answerDenied, agentFailed }: FarCall) =>
  answeredAt !== null && toldAnswered && !answerDenied && !agentFailed
