// The first start: the workspace that everything belongs to, and the key that opens it.
import type { Workspace } from '../domain/workspace.ts'
import { findWorkspaceByKey, issueApiKey, wasRevoked } from './api-keys.ts'
import type { Deps } from './deps.ts'

export interface SeededWorkspace {
  workspace: Workspace
  /** A key that was made just now: this is the only moment at which it can be shown. */
  newApiKey: string | null
}

const workspaceName = 'demo'

/**
 * Finds or makes the workspace `demo`. `setKey` opens it from then on, beside the keys it has already; without one, a
 * key is made when the workspace is.
 */
export async function seedWorkspace(
  deps: Pick<Deps, 'store' | 'clock' | 'logger'>,
  setKey: string | null,
): Promise<SeededWorkspace> {
  const { workspace, isNew } = await deps.store.firstWorkspace(workspaceName, deps.clock.now())
  const workspaceId = workspace.id
  if (setKey !== null) {
    const known = await findWorkspaceByKey(deps, setKey)
    // What somebody revoked stays so, although the environment still has it.
    if (known === null && (await wasRevoked(deps, setKey)))
      deps.logger.warn('OUTDIAL_API_KEY was revoked: it opens nothing. Set another one.')
    else if (known === null) await issueApiKey(deps, { workspaceId, name: 'OUTDIAL_API_KEY', preset: setKey })
    return { workspace, newApiKey: null }
  }
  if (!isNew) return { workspace, newApiKey: null }
  const { key } = await issueApiKey(deps, { workspaceId, name: 'first start' })
  return { workspace, newApiKey: key }
}
