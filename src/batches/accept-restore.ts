// What concerns the whole server, whatever the workspace: a restored store is looked at and accepted by its operator.
import { Refusal } from '../domain/refusal.ts'
import type { Workspace } from '../domain/workspace.ts'
import type { HeldWork, StoreHold } from '../store/housekeeping-store.ts'
import type { Deps } from './deps.ts'

export interface HoldReport {
  /** null: it calls. */
  hold: StoreHold | null
  work: HeldWork
}

/** The first workspace of a server is its operator's. Refusal `not_operator` (forbidden). */
export async function requireOperator({ store }: Pick<Deps, 'store'>, workspace: Workspace): Promise<void> {
  const [first] = await store.listWorkspaces()
  if (first?.id !== workspace.id)
    throw new Refusal(
      'forbidden',
      'not_operator',
      'This concerns the whole server: it takes a key of the server’s first workspace.',
    )
}

/** What would be dialled. */
export async function reportHold({ store }: Pick<Deps, 'store'>): Promise<HoldReport> {
  const [hold, work] = await Promise.all([store.getHold(), store.countHeldWork()])
  return { hold, work }
}

/** Calling begins. Nothing happens to a store that is not held. */
export async function acceptRestore({ store, logger }: Pick<Deps, 'store' | 'logger'>): Promise<HoldReport> {
  if (await store.liftHold()) logger.warn('the restored store was accepted: calling begins')
  return reportHold({ store })
}
