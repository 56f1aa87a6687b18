// A new trunk: one configured route to the telephone network.
import type { Trunk } from '../domain/workspace.ts'
import type { Idempotency, NewTrunk } from '../store/store.ts'
import type { Deps } from './deps.ts'

export async function createTrunk(
  { store, clock }: Pick<Deps, 'store' | 'clock'>,
  trunk: Omit<NewTrunk, 'createdAt'>,
  idempotency?: Idempotency<Trunk>,
): Promise<Trunk> {
  return store.createTrunk({ ...trunk, createdAt: clock.now() }, idempotency)
}
