// What an operator may do to the whole workspace: change its rules, stop everything, let it go on.
import type { Retention } from '../domain/retention.ts'
import type { Workspace } from '../domain/workspace.ts'
import type { WorkspacePatch } from '../store/store.ts'
import type { Deps } from './deps.ts'

type ControlDeps = Pick<Deps, 'store' | 'clock'>

/** Of `retention` only what is named changes. */
export async function updateWorkspace(
  { store, clock }: ControlDeps,
  workspace: Workspace,
  { retention, ...rest }: Omit<WorkspacePatch, 'retention'> & { retention?: Partial<Retention> | undefined },
): Promise<Workspace> {
  const patch: WorkspacePatch =
    retention === undefined ? rest : { ...rest, retention: { ...workspace.retention, ...retention } }
  if (Object.keys(patch).length === 0) return workspace
  return store.updateWorkspace(workspace.id, patch, clock.now())
}

/** The emergency stop: nothing is dialled until it is lifted; calls under way go on. */
export async function stopWorkspace({ store, clock }: ControlDeps, workspaceId: number): Promise<Workspace> {
  return store.setWorkspaceStopped(workspaceId, true, clock.now())
}

export async function releaseWorkspace(
  { store, clock }: ControlDeps,
  workspaceId: number,
): Promise<Workspace> {
  return store.setWorkspaceStopped(workspaceId, false, clock.now())
}
