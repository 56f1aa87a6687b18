// What happened in one simulated life, line by line: hashed as a whole, the last lines kept, and what was broken first.
import { createHash } from 'node:crypto'
import type { Clock } from '../../src/runtime/clock.ts'

export type PromiseName =
  | 'never twice'
  | 'never lost'
  | 'never over'
  | 'never out of hours'
  | 'never ignored'
  | 'always finished'
  | 'always told'

export interface Violation {
  promise: PromiseName
  what: string
}

/** What a life was made of: a fault that never comes proves nothing. */
export interface Figures {
  dials: number
  answers: number
  crashes: number
  sleeps: number
  clockJumps: number
  lostAcks: number
  storeFailures: number
  carrierLies: number
  rescues: number
  orders: number
  events: number
  deliveries: number
  checks: number
}

const linesKept = 40

export class Story {
  readonly figures: Figures = noFigures()
  violation: Violation | null = null
  readonly #clock: Clock
  readonly #hash = createHash('sha256')
  readonly #last: string[] = []
  readonly #listen: (line: string) => void
  #order = 0

  /** `listen`: told each line. */
  constructor(clock: Clock, listen: (line: string) => void = () => {}) {
    this.#clock = clock
    this.#listen = listen
  }

  tell(line: string): void {
    const dated = `${new Date(this.#clock.now()).toISOString()} ${line}`
    this.#listen(dated)
    this.#hash.update(`${dated}\n`)
    this.#last.push(dated)
    if (this.#last.length > linesKept && this.violation === null) this.#last.shift()
  }

  /** Only the first counts: what follows may come of it. */
  broke(promise: PromiseName, what: string): void {
    if (this.violation !== null) return
    this.tell(`BROKEN ${promise}: ${what}`)
    this.violation = { promise, what }
  }

  /** Counts a check; returns whether it held. */
  holds(promise: PromiseName, isTrue: boolean, what: () => string): boolean {
    this.figures.checks++
    if (!isTrue) this.broke(promise, what())
    return isTrue
  }

  /** Which of two things that happened at one instant was first: larger is later. */
  nextOrder(): number {
    return ++this.#order
  }

  hash(): string {
    return this.#hash.copy().digest('hex')
  }

  lastLines(): string[] {
    return this.#last.slice(-linesKept)
  }
}

export function noFigures(): Figures {
  return {
    dials: 0,
    answers: 0,
    crashes: 0,
    sleeps: 0,
    clockJumps: 0,
    lostAcks: 0,
    storeFailures: 0,
    carrierLies: 0,
    rescues: 0,
    orders: 0,
    events: 0,
    deliveries: 0,
    checks: 0,
  }
}

export function addFigures(sum: Figures, more: Figures): void {
  for (const name of Object.keys(sum) as (keyof Figures)[]) sum[name] += more[name]
}
