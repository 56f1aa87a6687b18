// A new agent: who talks for us.
import { checkConnection } from '../agent/settings.ts'
import type { Agent } from '../domain/workspace.ts'
import type { Idempotency, NewAgent } from '../store/store.ts'
import type { Deps } from './deps.ts'

/** Refusals `invalid_agent_connection`, `alias_taken` (conflict). */
export async function createAgent(
  { store, clock }: Pick<Deps, 'store' | 'clock'>,
  agent: Omit<NewAgent, 'createdAt'>,
  idempotency?: Idempotency<Agent>,
): Promise<Agent> {
  if (agent.connection !== null) checkConnection(agent.connection)
  return store.createAgent({ ...agent, createdAt: clock.now() }, idempotency)
}
