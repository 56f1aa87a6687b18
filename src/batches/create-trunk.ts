// A new trunk: one configured route to the telephone network.
import { Refusal } from '../domain/refusal.ts'
import type { Trunk } from '../domain/workspace.ts'
import type { Idempotency, NewTrunk } from '../store/store.ts'
import type { Deps } from './deps.ts'

/** Refusal `invalid_trunk_settings`, as the carrier that will read them says. */
export async function createTrunk(
  { store, clock, trunkSettingsError }: Pick<Deps, 'store' | 'clock' | 'trunkSettingsError'>,
  trunk: Omit<NewTrunk, 'createdAt'>,
  idempotency?: Idempotency<Trunk>,
): Promise<Trunk> {
  const wrong = trunkSettingsError?.(trunk) ?? null
  if (wrong !== null)
    throw new Refusal('invalid', 'invalid_trunk_settings', `\`settings\`: ${wrong}`, {
      errors: [{ field: 'settings', message: wrong }],
    })
  return store.createTrunk({ ...trunk, createdAt: clock.now() }, idempotency)
}
