// Trunks and agents as the dial needs them, read once and forgotten whenever the store says that something changed.
import type { Agent, Trunk } from '../domain/workspace.ts'
import type { Claim } from '../store/dispatch-records.ts'
import type { Store } from '../store/store.ts'

export class KnownResources {
  readonly #store: Store
  #trunks = new Map<number, Trunk>()
  #agents = new Map<number, Agent>()
  /** Which of them were read since the last change. */
  #freshTrunks = new Set<number>()
  #freshAgents = new Set<number>()

  constructor(store: Store) {
    this.#store = store
  }

  /** The next `learn` reads anew; what is known stays readable, since calls under way still ask for it. */
  forget(): void {
    this.#freshTrunks = new Set()
    this.#freshAgents = new Set()
  }

  /** Reads what these claims refer to and is not known yet. */
  async learn(claims: readonly Pick<Claim, 'trunkId' | 'agentId'>[]): Promise<void> {
    // A change that comes while these are read replaces the sets: what was read then counts as stale.
    const [freshTrunks, freshAgents] = [this.#freshTrunks, this.#freshAgents]
    for (const { trunkId, agentId } of claims) {
      if (!freshTrunks.has(trunkId)) {
        const trunk = await this.#store.getTrunk(trunkId)
        if (trunk !== null) this.#trunks.set(trunkId, trunk)
        freshTrunks.add(trunkId)
      }
      if (!freshAgents.has(agentId)) {
        const agent = await this.#store.getAgent(agentId)
        if (agent !== null) this.#agents.set(agentId, agent)
        freshAgents.add(agentId)
      }
    }
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
