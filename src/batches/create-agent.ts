// A new agent: who talks for us.
import type { Agent } from '../domain/workspace.ts'
import type { Idempotency, NewAgent } from '../store/store.ts'
import type { Deps } from './deps.ts'

/** Refusal `alias_taken` (conflict). */
export async function createAgent(
  { store, clock }: Pick<Deps, 'store' | 'clock'>,
  agent: Omit<NewAgent, 'createdAt'>,
  idempotency?: Idempotency<Agent>,
): Promise<Agent> {
  return store.createAgent({ ...agent, createdAt: clock.now() }, idempotency)
}
