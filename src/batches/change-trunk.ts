// A trunk that is changed: another password, other gateways, other limits.
import { Refusal } from '../domain/refusal.ts'
import type { Trunk } from '../domain/workspace.ts'
import type { TrunkPatch } from '../store/store.ts'
import { refuseWrongTrunk } from './create-trunk.ts'
import type { Deps } from './deps.ts'

/** What the API shows in place of a password: sent back, it changes nothing. */
export const hiddenSecret = '[hidden]'

/**
 * Named fields and settings change, the rest stays. It holds from the next call on; a breaker that is open tries the
 * trunk when its rest is over. Refusals `trunk_not_found`, `invalid_trunk_settings`.
 */
export async function changeTrunk(
  deps: Pick<Deps, 'store' | 'clock' | 'trunkProblem'>,
  workspaceId: number,
  trunkRef: string,
  { settings, ...fields }: TrunkPatch,
): Promise<Trunk> {
  const { store, clock } = deps
  const trunk = await findTrunk(deps, workspaceId, trunkRef)
  const merged = settings === undefined ? undefined : mergeSettings(trunk.settings, settings)
  if (merged !== undefined) refuseWrongTrunk(deps, { kind: trunk.kind, settings: merged })
  const patch = { ...fields, ...(merged !== undefined && { settings: merged }) }
  return (await store.updateTrunk(workspaceId, trunk.id, patch, clock.now())) ?? trunk
}

/** By its id in digits. Refusal `trunk_not_found`. */
export async function findTrunk(
  { store }: Pick<Deps, 'store'>,
  workspaceId: number,
  ref: string,
): Promise<Trunk> {
  const trunk = await store.findTrunk(workspaceId, ref)
  if (trunk === null) throw new Refusal('not-found', 'trunk_not_found', `Trunk ${ref} not found`, { ref })
  return trunk
}

function mergeSettings(old: Trunk['settings'], sent: Trunk['settings']): Trunk['settings'] {
  const meant = Object.entries(sent).filter(([name, value]) => name !== 'password' || value !== hiddenSecret)
  return { ...old, ...Object.fromEntries(meant) }
}
