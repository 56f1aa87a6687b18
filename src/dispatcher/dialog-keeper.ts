// Dialogs on their way into the store: what changes meanwhile is kept together, the newest of each.
import { grouped } from '../runtime/grouped.ts'
import type { Store } from '../store/store.ts'

interface Change {
  attemptId: number
  dialog: string
}

export class DialogKeeper {
  readonly #keep: (change: Change) => Promise<boolean>

  constructor(store: Pick<Store, 'keepDialogs'>, nodeId: string, onFailure: (error: unknown) => void) {
    this.#keep = grouped(async changes => {
      try {
        const newest = new Map(changes.map(({ attemptId, dialog }) => [attemptId, dialog]))
        const dialogs = [...newest].map(([attemptId, dialog]) => ({ attemptId, dialog }))
        const kept = await store.keepDialogs(dialogs, nodeId)
        const ours = new Map(dialogs.map(({ attemptId }, index) => [attemptId, kept[index] === true]))
        return changes.map(({ attemptId }) => ours.get(attemptId) === true)
      } catch (error) {
        onFailure(error)
        return changes.map(() => false)
      }
    })
  }

  /** Resolves once it is on disk: whether this node still holds the attempt. A store that cannot say means no. */
  keep(attemptId: number, dialog: string): Promise<boolean> {
    return this.#keep({ attemptId, dialog })
  }
}
