// Who calls next within one claim: each number's free places, and turns among the numbers of a batch.
import { type Candidate, chooseCaller } from '../../domain/caller-choice.ts'
import { type CallerCalls, callerCalls } from './caller-calls.ts'
import type { ClaimRound } from './claim-round.ts'
import type { Connection } from './connection.ts'
import type { Row } from './rows.ts'
import type { BatchCaller, RunningBatch } from './rules.ts'

/** Remembers between claims whose turn it is; after a start every number counts as rested. */
export class CallerTurns {
  readonly #calls: CallerCalls
  readonly #usedAt = new Map<number, number>()
  #turn = 0
  readonly #lastCaller

  constructor(connection: Connection) {
    this.#calls = callerCalls(connection)
    this.#lastCaller = connection.prepare('SELECT phone_number_id AS id FROM attempts WHERE id = ?')
  }

  begin(round: ClaimRound): CallerRound {
    return new CallerRound(round, this.#calls, {
      usedAt: id => this.#usedAt.get(id) ?? 0,
      use: id => {
        this.#usedAt.set(id, ++this.#turn)
        return this.#turn
      },
      lastCallerOf: row =>
        row.last_attempt_id === null
          ? null
          : ((this.#lastCaller.get(row.last_attempt_id) as Row).id as number),
    })
  }
}

interface Turns {
  usedAt(phoneNumberId: number): number
  use(phoneNumberId: number): number
  lastCallerOf(recipient: Row): number | null
}

interface Caller extends Candidate {
  callerId: string
}

export class CallerRound {
  readonly #round: ClaimRound
  readonly #calls: CallerCalls
  readonly #turns: Turns
  readonly #callers = new Map<number, Caller>()

  constructor(round: ClaimRound, calls: CallerCalls, turns: Turns) {
    this.#round = round
    this.#calls = calls
    this.#turns = turns
  }

  /** Bounds the batch by what its numbers may do, and wakes us when a number that is held may call again. */
  limit(batch: RunningBatch): void {
    const places = this.placesOf(batch)
    if (places !== Number.POSITIVE_INFINITY) this.#round.limitPlaces(batch.callerScope, places)
  }

  /** Calls that the batch's numbers may begin now, all together. */
  placesOf(batch: RunningBatch): number {
    let places = 0
    for (const caller of batch.callers) places += this.#stateOf(caller).places
    return places
  }

  /** Takes a place; the batch has one. */
  choose(batch: RunningBatch, recipient: Row): Caller {
    const several = batch.callers.length > 1
    const candidates = batch.callers.map(caller => this.#stateOf(caller))
    const chosen = chooseCaller(candidates, several ? this.#turns.lastCallerOf(recipient) : null)
    if (chosen === null) throw new Error('a batch whose numbers are all taken was given a place')
    chosen.usedAt = several ? this.#turns.use(chosen.phoneNumberId) : chosen.usedAt
    chosen.places--
    return chosen
  }

  /** Nobody was called after all. */
  giveBack(caller: Caller): void {
    caller.places++
  }

  #stateOf(caller: BatchCaller): Caller {
    const { phoneNumberId, callerId } = caller
    let state = this.#callers.get(phoneNumberId)
    if (state === undefined) {
      state = {
        phoneNumberId,
        callerId,
        places: this.#count(caller),
        usedAt: this.#turns.usedAt(phoneNumberId),
      }
      this.#callers.set(phoneNumberId, state)
    }
    return state
  }

  #count({ phoneNumberId, maxConcurrentCalls, maxCallsPerDay, restingUntil }: BatchCaller): number {
    const { now } = this.#round.request
    if (restingUntil !== null && restingUntil > now) {
      this.#round.wakeBy(restingUntil)
      return 0
    }
    const open = this.#round.openOf(`caller:${phoneNumberId}`)
    const free = maxConcurrentCalls === null ? Number.POSITIVE_INFINITY : maxConcurrentCalls - open
    if (maxCallsPerDay === null) return Math.max(0, free)
    this.#round.wakeBy(this.#calls.cappedUntil({ phoneNumberId, maxCallsPerDay }, now))
    const begun = this.#calls.count(phoneNumberId, now) + this.#round.claimedFrom(phoneNumberId)
    return Math.max(0, Math.min(free, maxCallsPerDay - begun))
  }
}
