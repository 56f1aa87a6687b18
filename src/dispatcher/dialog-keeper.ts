// Dialogs on their way into the store: what changes in one turn of the event loop is kept together, the newest of each.
import type { Store } from '../store/store.ts'

interface Waiting {
  dialog: string
  answer: ((isOurs: boolean) => void)[]
}

export class DialogKeeper {
  readonly #store: Pick<Store, 'keepDialogs'>
  readonly #nodeId: string
  readonly #onFailure: (error: unknown) => void
  #waiting = new Map<number, Waiting>()

  constructor(store: Pick<Store, 'keepDialogs'>, nodeId: string, onFailure: (error: unknown) => void) {
    this.#store = store
    this.#nodeId = nodeId
    this.#onFailure = onFailure
  }

  /** Resolves once it is on disk: whether this node still holds the attempt. A store that cannot say means no. */
  keep(attemptId: number, dialog: string): Promise<boolean> {
    return new Promise(answer => {
      if (this.#waiting.size === 0) setImmediate(() => void this.#flush())
      const before = this.#waiting.get(attemptId)?.answer ?? []
      this.#waiting.set(attemptId, { dialog, answer: [...before, answer] })
    })
  }

  async #flush(): Promise<void> {
    const waiting = [...this.#waiting]
    this.#waiting = new Map()
    const ours = await this.#write(waiting)
    for (const [index, [, { answer }]] of waiting.entries())
      for (const resolve of answer) resolve(ours[index] === true)
  }

  async #write(waiting: [number, Waiting][]): Promise<boolean[]> {
    try {
      const dialogs = waiting.map(([attemptId, { dialog }]) => ({ attemptId, dialog }))
      return await this.#store.keepDialogs(dialogs, this.#nodeId)
    } catch (error) {
      this.#onFailure(error)
      return []
    }
  }
}
