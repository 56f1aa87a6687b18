// A new trunk: one configured route to the telephone network.
import { Refusal } from '../domain/refusal.ts'
import type { Trunk } from '../domain/workspace.ts'
import type { Idempotency, NewTrunk } from '../store/store.ts'
import type { Deps } from './deps.ts'

/** Refusals `invalid_trunk_kind` and `invalid_trunk_settings`, as the carrier that will read them says. */
export async function createTrunk(
  { store, clock, trunkProblem }: Pick<Deps, 'store' | 'clock' | 'trunkProblem'>,
  trunk: Omit<NewTrunk, 'createdAt'>,
  idempotency?: Idempotency<Trunk>,
): Promise<Trunk> {
  const problem = trunkProblem?.(trunk) ?? null
  if (problem !== null)
    throw new Refusal(
      'invalid',
      `invalid_trunk_${problem.field}`,
      `\`${problem.field}\`: ${problem.message}`,
      {
        errors: [problem],
      },
    )
  return store.createTrunk({ ...trunk, createdAt: clock.now() }, idempotency)
}
