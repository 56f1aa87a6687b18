// A new trunk: one configured route to the telephone network.
import { Refusal } from '../domain/refusal.ts'
import type { Trunk } from '../domain/workspace.ts'
import type { Idempotency, NewTrunk } from '../store/store.ts'
import type { Deps } from './deps.ts'

/** Refusals `invalid_trunk_kind` and `invalid_trunk_settings`, as the carrier that will read them says. */
export async function createTrunk(
  deps: Pick<Deps, 'store' | 'clock' | 'trunkProblem'>,
  trunk: Omit<NewTrunk, 'createdAt'>,
  idempotency?: Idempotency<Trunk>,
): Promise<Trunk> {
  refuseWrongTrunk(deps, trunk)
  return deps.store.createTrunk({ ...trunk, createdAt: deps.clock.now() }, idempotency)
}

export function refuseWrongTrunk(
  { trunkProblem }: Pick<Deps, 'trunkProblem'>,
  trunk: Pick<Trunk, 'kind' | 'settings'>,
): void {
  const problem = trunkProblem?.(trunk) ?? null
  if (problem === null) return
  const { field, message } = problem
  throw new Refusal('invalid', `invalid_trunk_${field}`, `\`${field}\`: ${message}`, { errors: [problem] })
}
