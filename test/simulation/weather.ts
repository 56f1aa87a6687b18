// How bad the world is to this life: which faults there are at all, how often each comes, and that they stop at the end.

import type { StoreMethod } from '../dispatcher/interposed-store.ts'
import type { Chance } from './chance.ts'

/** What happens to one call of a port. */
export interface Fate {
  /** Before the question arrives, and before the answer does, ms. */
  delayMs: number
  answerDelayMs: number
  fails: boolean
  /** Carried out, but whoever asked hears of a failure. */
  loses: boolean
  end: { how: 'dies' | 'sleeps'; when: 'before' | 'after' } | null
}

const fair: Fate = { delayMs: 0, answerDelayMs: 0, fails: false, loses: false, end: null }

/** What becomes of one webhook. `unheard`: it arrives, and we never learn of that. */
export interface ReceiverFate {
  kind: 'hears' | 'away' | 'fails' | 'unheard'
  delayMs: number
}

/** Alone, the store is in our process: the answer of a claim cannot get lost on the way. */
const losableAlone: ReadonlySet<StoreMethod> = new Set(['placeCalls', 'recordProgress', 'endAttempts'])

/** Each life has some of the faults: those that it lacks cannot hide what the others would show. */
export class Weather {
  isFoul = true
  /** The database is away, or the disk is full. */
  storeIsDown = false
  readonly #chance: Chance
  readonly #alone: boolean
  readonly #deathRate: number
  readonly #sleepRate: number
  readonly #loseRate: number
  readonly #failRate: number
  readonly #maxDelayMs: number
  readonly #lieRate: number
  readonly #rescueFailRate: number
  readonly #jumps: boolean
  readonly #receiverRate: number

  constructor(chance: Chance, alone: boolean) {
    this.#chance = chance
    this.#alone = alone
    const rate = (choices: readonly number[]) => chance.pick(choices)
    this.#deathRate = rate([0, 0, 0.002, 0.01])
    this.#sleepRate = alone ? 0 : rate([0, 0, 0.003, 0.01])
    this.#loseRate = rate([0, 0, 0.005, 0.03])
    this.#failRate = rate([0, 0, 0.005, 0.03])
    this.#maxDelayMs = alone ? 0 : rate([0, 3, 3, 20, 800])
    this.#lieRate = rate([0, 0.05, 0.3])
    this.#rescueFailRate = rate([0, 0, 0.2, 0.6])
    this.#jumps = !alone && chance.happens(0.3)
    this.#receiverRate = rate([0, 0.05, 0.5])
  }

  get clocksJump(): boolean {
    return this.isFoul && this.#jumps
  }

  clear(): void {
    this.isFoul = false
    this.storeIsDown = false
  }

  ofStore(method: StoreMethod): Fate {
    if (!this.isFoul) return fair
    const delays = { delayMs: this.#delay(), answerDelayMs: this.#delay() }
    const fails = this.storeIsDown || this.#happens(this.#failRate)
    const loses = this.#happens(this.#loseRate) && (!this.#alone || losableAlone.has(method))
    return { ...delays, fails, loses, end: this.#end() }
  }

  /** A node can die around a question to the carrier, but not fall asleep in the middle of one turn. */
  ofCarrier(): 'before' | 'after' | null {
    if (!this.isFoul || !this.#happens(this.#deathRate)) return null
    return this.#chance.pick(['before', 'after'])
  }

  /** Whether the receiver of this life fails at all. */
  get receiverFails(): boolean {
    return this.#receiverRate > 0
  }

  ofReceiver(): ReceiverFate {
    if (!this.isFoul) return { kind: 'hears', delayMs: 5 }
    const kind = this.#happens(this.#receiverRate)
      ? this.#chance.pick(['away', 'fails', 'unheard'] as const)
      : 'hears'
    return { kind, delayMs: this.#chance.pick([1, 50, 3_000]) }
  }

  lies(): boolean {
    return this.isFoul && this.#happens(this.#lieRate)
  }

  rescueFails(): boolean {
    return this.isFoul && this.#happens(this.#rescueFailRate)
  }

  #end(): Fate['end'] {
    const when = this.#chance.pick(['before', 'after'] as const)
    if (this.#happens(this.#deathRate)) return { how: 'dies', when }
    return this.#happens(this.#sleepRate) ? { how: 'sleeps', when } : null
  }

  #delay(): number {
    return this.#maxDelayMs === 0 ? 0 : this.#chance.int(0, this.#maxDelayMs)
  }

  #happens(rate: number): boolean {
    return rate > 0 && this.#chance.happens(rate)
  }
}
