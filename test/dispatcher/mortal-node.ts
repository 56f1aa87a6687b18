// A node that can die at any instant: from then on it hears nothing, does nothing, and none of its timers runs.
import type { Carrier } from '../../src/carrier/carrier.ts'
import type { Clock } from '../../src/runtime/clock.ts'
import type { Store } from '../../src/store/store.ts'
import { interpose, type StoreMethod } from './interposed-store.ts'

export interface World {
  store: Store
  carrier: Carrier
  clock: Clock
}

/** The node dies just before the store hears of `method`, or right after the commit, before it learns of that. */
export interface DeathBed {
  method: StoreMethod
  when: 'before' | 'after'
  /** 1 for the first call of the method. */
  nth: number
  /** It only falls asleep, and may be woken. */
  sleeps?: boolean
}

const never = () => new Promise<never>(() => {})

export class MortalNode {
  /** The world as this node sees it. */
  readonly world: World
  #alive = true
  #asleep = false
  /** What came while it slept, in order: it hears of that when it wakes. */
  #missed: (() => void)[] = []
  #calls = 0
  readonly #deathBed: DeathBed | null

  constructor({ store, carrier, clock }: World, deathBed: DeathBed | null = null) {
    this.#deathBed = deathBed
    const gated = interpose(store, (method, proceed) => this.#around(method, proceed))
    this.world = {
      store: { ...gated, onWork: listener => store.onWork(() => this.#hear(listener)) },
      carrier: this.#gateCarrier(carrier),
      clock: {
        now: () => clock.now(),
        elapsed: () => clock.elapsed(),
        at: (at, task) => {
          let cancelled = false
          const timer = clock.at(at, () => this.#hear(() => !cancelled && task()))
          return {
            cancel() {
              cancelled = true
              timer.cancel()
            },
          }
        },
      },
    }
  }

  get alive(): boolean {
    return this.#alive
  }

  kill(): void {
    this.#alive = false
    this.#missed = []
  }

  /** As a process that was sent SIGSTOP: it does nothing and hears of nothing. */
  sleep(): void {
    this.#asleep = true
  }

  wake(): void {
    this.#asleep = false
    const missed = this.#missed
    this.#missed = []
    for (const task of missed) this.#hear(task)
  }

  #hear(task: () => void): void {
    if (!this.#alive) return
    if (this.#asleep) this.#missed.push(task)
    else task()
  }

  /** Resolves, or rejects, as `result` does, but not while the node sleeps, and never once it is dead. */
  #heard<T>(result: Promise<T>): Promise<T> {
    return new Promise((resolve, reject) => {
      result.then(
        value => this.#hear(() => resolve(value)),
        error => this.#hear(() => reject(error)),
      )
    })
  }

  async #around(method: StoreMethod, proceed: () => Promise<unknown>): Promise<unknown> {
    const isLast = method === this.#deathBed?.method && ++this.#calls === this.#deathBed.nth
    if (isLast && this.#deathBed?.when === 'before') this.#end()
    if (!this.#alive) return never()
    const result = proceed()
    if (isLast) {
      await result.catch(() => {})
      this.#end()
    }
    return this.#heard(result)
  }

  #end(): void {
    if (this.#deathBed?.sleeps === true) this.sleep()
    else this.kill()
  }

  #gateCarrier(carrier: Carrier): Carrier {
    return {
      dial: (request, observer) => {
        if (!this.#alive) return { hangUp: () => {} }
        const dialogChanged = observer.dialogChanged?.bind(observer)
        const call = carrier.dial(request, {
          ringing: at => this.#hear(() => observer.ringing(at)),
          answered: at => this.#hear(() => observer.answered(at)),
          ended: (evidence, at) => this.#hear(() => observer.ended(evidence, at)),
          ...(dialogChanged === undefined
            ? {}
            : { dialogChanged: dialog => this.#heard(dialogChanged(dialog)) }),
        })
        return { hangUp: () => this.#alive && call.hangUp() }
      },
      rescue: (trunk, callIds, dialogs) =>
        this.#alive ? this.#heard(carrier.rescue(trunk, callIds, dialogs)) : never(),
      close: async () => {},
    }
  }
}
