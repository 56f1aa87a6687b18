// Trunks and agents as the dial needs them, read once and forgotten whenever the store says that something changed.
import type { Agent, Trunk } from '../domain/workspace.ts'
import type { Claim } from '../store/dispatch-records.ts'
import type { Store } from '../store/store.ts'

export class KnownResources {
  readonly #store: Store
  #trunks = new Map<number, Trunk>()
  #agents = new Map<number, Agent>()
  #version = 0
  #learntVersion = 0

  constructor(store: Store) {
    this.#store = store
  }

  /** The next `learn` reads anew; what is known stays readable, since calls under way still ask for it. */
  forget(): void {
    this.#version++
  }

  /** Reads what these claims refer to and is not known yet. */
  async learn(claims: readonly Pick<Claim, 'trunkId' | 'agentId'>[]): Promise<void> {
    const fresh = this.#learntVersion === this.#version
    const version = this.#version
    const trunkIds = new Set(claims.map(claim => claim.trunkId).filter(id => !fresh || !this.#trunks.has(id)))
    const agentIds = new Set(claims.map(claim => claim.agentId).filter(id => !fresh || !this.#agents.has(id)))
    for (const id of trunkIds) {
      const trunk = await this.#store.getTrunk(id)
      if (trunk !== null) this.#trunks.set(id, trunk)
    }
    for (const id of agentIds) {
      const agent = await this.#store.getAgent(id)
      if (agent !== null) this.#agents.set(id, agent)
    }
    this.#learntVersion = version
  }

  trunk(id: number): Trunk {
    return known(this.#trunks.get(id), 'trunk', id)
  }

  agent(id: number): Agent {
    return known(this.#agents.get(id), 'agent', id)
  }
}

function known<T>(thing: T | undefined, what: string, id: number): T {
  if (thing === undefined) throw new Error(`${what} ${id} was asked for before it was learnt`)
  return thing
}
