// Waiting without sleeping: a condition is looked at again whenever a watched folder has changed.
import { type FSWatcher, watch } from 'node:fs'

export class Changes {
  readonly #watchers: FSWatcher[]
  #changed = false
  #wake = () => {}

  constructor(...folders: string[]) {
    this.#watchers = folders.map(folder =>
      watch(folder, () => {
        this.#changed = true
        this.#wake()
      }),
    )
  }

  /** Resolves when `condition` holds; it is asked now and after every change. */
  async until(condition: () => Promise<boolean>): Promise<void> {
    for (;;) {
      this.#changed = false
      if (await condition()) return
      await this.#next()
    }
  }

  close(): void {
    for (const watcher of this.#watchers) watcher.close()
  }

  async #next(): Promise<void> {
    if (this.#changed) return
    await new Promise<void>(resolve => {
      this.#wake = resolve
    })
  }
}
