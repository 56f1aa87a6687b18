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
}

const never = () => new Promise<never>(() => {})

export class MortalNode {
  /** The world as this node sees it. */
  readonly world: World
  #alive = true
  #calls = 0
  readonly #deathBed: DeathBed | null

  constructor({ store, carrier, clock }: World, deathBed: DeathBed | null = null) {
    this.#deathBed = deathBed
    const gated = interpose(store, (method, proceed) => this.#around(method, proceed))
    this.world = {
      store: { ...gated, onWork: listener => store.onWork(() => this.#alive && listener()) },
      carrier: this.#gateCarrier(carrier),
      clock: {
        now: () => clock.now(),
        elapsed: () => clock.elapsed(),
        at: (at, task) => clock.at(at, () => this.#alive && task()),
      },
    }
  }

  get alive(): boolean {
    return this.#alive
  }

  kill(): void {
    this.#alive = false
  }

  async #around(method: StoreMethod, proceed: () => Promise<unknown>): Promise<unknown> {
    const dies = method === this.#deathBed?.method && ++this.#calls === this.#deathBed.nth
    if (dies && this.#deathBed?.when === 'before') this.kill()
    if (!this.#alive) return never()
    const result = await proceed()
    if (dies) this.kill()
    return this.#alive ? result : never()
  }

  #gateCarrier(carrier: Carrier): Carrier {
    return {
      dial: (request, observer) => {
        if (!this.#alive) return { hangUp: () => {} }
        const call = carrier.dial(request, {
          ringing: at => this.#alive && observer.ringing(at),
          answered: at => this.#alive && observer.answered(at),
          ended: (evidence, at) => this.#alive && observer.ended(evidence, at),
        })
        return { hangUp: () => this.#alive && call.hangUp() }
      },
      rescue: async (trunk, callIds, dialogs) => {
        const answers = await (this.#alive ? carrier.rescue(trunk, callIds, dialogs) : never())
        return this.#alive ? answers : never()
      },
      close: async () => {},
    }
  }
}
