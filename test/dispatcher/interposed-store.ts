// A store with somebody in between, who may fail it, delay it or count what it is asked.
import type { Clock } from '../../src/runtime/clock.ts'
import { waitFor } from '../../src/runtime/wait.ts'
import type { Store } from '../../src/store/store.ts'

export type StoreMethod = Exclude<keyof Store, 'onWork' | 'onEvents'>

/** Sees every call of the store; `proceed` carries it out. */
export type Around = (method: StoreMethod, proceed: () => Promise<unknown>) => Promise<unknown>

export function interpose(store: Store, around: Around): Store {
  const wrapped = Object.entries(store).map(([name, method]) => {
    if (name === 'onWork' || name === 'onEvents') return [name, method]
    const proceed = method as (...args: unknown[]) => Promise<unknown>
    return [name, (...args: unknown[]) => around(name as StoreMethod, () => proceed(...args))]
  })
  return Object.fromEntries(wrapped) as Store
}

/** Each answer to `method` comes `ms` late, as commits on a slow disk do. */
export const slowStore = (store: Store, slow: StoreMethod, ms: number, clock: Clock): Store =>
  interpose(store, async (method, proceed) => {
    const result = await proceed()
    if (method === slow) await waitFor(clock, ms)
    return result
  })

/** Fails the named methods from now on, before they do anything, until `heal` is called. */
export class FailingStore {
  readonly store: Store
  failures = 0
  readonly #failing = new Set<StoreMethod>()
  readonly #lostAnswers = new Set<StoreMethod>()

  constructor(store: Store) {
    this.store = interpose(store, (method, proceed) => this.#around(method, proceed))
  }

  fail(...methods: StoreMethod[]): void {
    for (const method of methods) this.#failing.add(method)
  }

  /** The next call of this method is carried out, but whoever asked hears of a failure. */
  loseNextAnswer(method: StoreMethod): void {
    this.#lostAnswers.add(method)
  }

  heal(): void {
    this.#failing.clear()
  }

  async #around(method: StoreMethod, proceed: () => Promise<unknown>): Promise<unknown> {
    if (this.#failing.has(method)) throw this.#failure(method)
    const result = await proceed()
    if (this.#lostAnswers.delete(method)) throw this.#failure(method)
    return result
  }

  #failure(method: StoreMethod): Error {
    this.failures++
    return new Error(`${method}: database or disk is full`)
  }
}
