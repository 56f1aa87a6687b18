// What the people in charge have ordered and were told is done: who must not be called, and how many at a time.
import type { CallingWindow } from '../../src/domain/calling-window.ts'
import type { TrunkKind } from '../../src/domain/workspace.ts'
import type { Story } from './story.ts'

/** What is fixed when a batch is made. */
export interface OrderedBatch {
  id: number
  name: string
  trunkKind: TrunkKind
  window: CallingWindow | null
  callsPerSecond: number | null
  maxConcurrentCalls: number | null
  open: boolean
  /** Nobody of it is to be called. */
  held: boolean
}

interface Since<T> {
  value: T
  /** See `Story.nextOrder`. */
  order: number
}

/** A value that changes, and what it was. */
class Changing<T> {
  readonly #values: Since<T>[]
  readonly #story: Story

  constructor(value: T, story: Story) {
    this.#story = story
    this.#values = [{ value, order: 0 }]
  }

  get now(): T {
    return this.#values.at(-1)!.value
  }

  set(value: T): void {
    this.#values.push({ value, order: this.#story.nextOrder() })
  }

  /** All that it was from `order` on, what held then included. */
  since(order: number): T[] {
    const first = this.#values.findLastIndex(each => each.order <= order)
    return this.#values.slice(Math.max(0, first)).map(({ value }) => value)
  }
}

export class Orders {
  readonly batches = new Map<string, OrderedBatch>()
  /** Fixed limits by scope: `trunk:…`, `caller:…`, `agent:…`, `batch:…`. */
  readonly limits = new Map<string, number>()
  /** Calls per second by trunk. */
  readonly trunkRates = new Map<number, number>()
  readonly #story: Story
  readonly #held = new Map<string, Changing<boolean>>()
  readonly #stopped: Changing<boolean>
  readonly #maxConcurrentCalls: Changing<number>
  readonly #window: Changing<CallingWindow | null>

  constructor(story: Story, maxConcurrentCalls: number) {
    this.#story = story
    this.#stopped = new Changing(false, story)
    this.#maxConcurrentCalls = new Changing(maxConcurrentCalls, story)
    this.#window = new Changing<CallingWindow | null>(null, story)
  }

  made(batch: OrderedBatch): void {
    this.batches.set(batch.name, batch)
    this.#held.set(batch.name, new Changing(batch.held, this.#story))
    if (batch.maxConcurrentCalls !== null) this.limits.set(`batch:${batch.name}`, batch.maxConcurrentCalls)
  }

  hold(name: string, held: boolean): void {
    this.#held.get(name)?.set(held)
  }

  stop(stopped: boolean): void {
    this.#stopped.set(stopped)
  }

  limit(maxConcurrentCalls: number): void {
    this.#maxConcurrentCalls.set(maxConcurrentCalls)
  }

  setWindow(window: CallingWindow | null): void {
    this.#window.set(window)
  }

  /** Nothing that held at `order` or since allowed a call of this batch. */
  forbids(name: string, order: number): string | null {
    if (this.#held.get(name)?.since(order).every(Boolean) === true)
      return `${name} is paused, cancelled or a draft`
    return this.#stopped.since(order).every(Boolean) ? 'the workspace is stopped' : null
  }

  /** The largest number of calls that the scope allowed at `order` or since; null: any. */
  limitOf(scope: string, order: number): number | null {
    if (scope === 'workspace') return Math.max(...this.#maxConcurrentCalls.since(order))
    return this.limits.get(scope) ?? null
  }

  windowsOf(name: string, order: number): (CallingWindow | null)[] {
    const own = this.batches.get(name)?.window ?? null
    return own === null ? this.#window.since(order) : [own]
  }
}
