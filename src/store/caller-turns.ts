// Who calls next within one claim: each number's free places, and turns among the numbers of a batch.
import { type CallerStanding, type Candidate, chooseCaller, holdOf } from '../domain/caller-choice.ts'
import type { ClaimRound } from './claim-round.ts'
import type { GatheredChanges } from './progress-changes.ts'
import type { Row } from './rows.ts'
import type { BatchCaller, RunningBatch } from './running-batch.ts'

/** What the numbers with a cap have done, as of the claim. */
export interface CallerFigures {
  /** Calls placed within the window of the cap. */
  count(phoneNumberId: number): number
  /** When the cap lets it call again, epoch ms; null: now. */
  cappedUntil(caller: Pick<BatchCaller, 'phoneNumberId' | 'maxCallsPerDay'>): number | null
}

/** `row`: phoneNumberId, e164, maxCallsPerDay, restingUntil. */
export function toCallerStanding(row: Row, figures: CallerFigures, now: number): CallerStanding {
  const { phoneNumberId, e164, maxCallsPerDay, restingUntil } = row
  return {
    phoneNumberId,
    e164,
    maxCallsPerDay,
    callsLastDay: maxCallsPerDay === null ? null : figures.count(phoneNumberId),
    hold: holdOf({ restingUntil }, figures.cappedUntil({ phoneNumberId, maxCallsPerDay }), now),
  }
}

/** A number that was chosen for a call. */
export interface ChosenCaller extends Candidate {
  callerId: string
}

/** Remembers between claims whose turn it is; after a start every number counts as rested. */
export class CallerTurns {
  readonly #usedAt = new Map<number, number>()
  #turn = 0

  usedAt(phoneNumberId: number): number {
    return this.#usedAt.get(phoneNumberId) ?? 0
  }

  use(phoneNumberId: number): number {
    this.#usedAt.set(phoneNumberId, ++this.#turn)
    return this.#turn
  }
}

export class CallerRound {
  readonly #round: ClaimRound<GatheredChanges>
  readonly #figures: CallerFigures
  readonly #turns: CallerTurns
  readonly #callers = new Map<number, ChosenCaller>()

  constructor(round: ClaimRound<GatheredChanges>, figures: CallerFigures, turns: CallerTurns) {
    this.#round = round
    this.#figures = figures
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

  /** Takes a place; the batch has one. `lastCallerOf`: from which number the person was called before; null: never. */
  choose(batch: RunningBatch, lastCallerOf: () => number | null): ChosenCaller {
    const several = batch.callers.length > 1
    const candidates = batch.callers.map(caller => this.#stateOf(caller))
    const chosen = chooseCaller(candidates, several ? lastCallerOf() : null)
    if (chosen === null) throw new Error('a batch whose numbers are all taken was given a place')
    if (several) chosen.usedAt = this.#turns.use(chosen.phoneNumberId)
    chosen.places--
    return chosen
  }

  /** Nobody was called after all. */
  giveBack(caller: ChosenCaller): void {
    caller.places++
  }

  #stateOf(caller: BatchCaller): ChosenCaller {
    const { phoneNumberId, callerId } = caller
    return this.#callers.getOrInsertComputed(phoneNumberId, () => ({
      phoneNumberId,
      callerId,
      places: this.#count(caller),
      usedAt: this.#turns.usedAt(phoneNumberId),
    }))
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
    this.#round.wakeBy(this.#figures.cappedUntil({ phoneNumberId, maxCallsPerDay }))
    const begun = this.#figures.count(phoneNumberId) + this.#round.claimedFrom(phoneNumberId)
    return Math.max(0, Math.min(free, maxCallsPerDay - begun))
  }
}
