// An append-only file of JSON lines: what is to be done about a line is done only once it is on disk.
import { type FileHandle, open, readFile } from 'node:fs/promises'

interface Step {
  /** null: nothing to write, only to wait for what was written before. */
  line: string | null
  then: () => void
}

export class DurableLog<Line> {
  readonly #file: FileHandle
  readonly #onFailure: (error: unknown) => void
  #waiting: Step[] = []
  #flushing: Promise<void> | null = null

  private constructor(file: FileHandle, onFailure: (error: unknown) => void) {
    this.#file = file
    this.#onFailure = onFailure
  }

  /** Opens or creates the file and returns the lines that it holds; one torn by a crash is left out. */
  static async open<Line>(
    path: string,
    onFailure: (error: unknown) => void,
  ): Promise<{ log: DurableLog<Line>; lines: Line[] }> {
    const file = await open(path, 'a+')
    const text = await readFile(path, 'utf8')
    if (text !== '' && !text.endsWith('\n')) await file.appendFile('\n')
    return { log: new DurableLog<Line>(file, onFailure), lines: text.split('\n').flatMap(parseLine<Line>) }
  }

  /** Runs `then` after the line, and all lines before it, are on disk; in the order of the calls. */
  append(line: Line, then: () => void): void {
    this.#enqueue({ line: `${JSON.stringify(line)}\n`, then })
  }

  /** Runs `then` after everything appended so far is on disk. */
  after(then: () => void): void {
    this.#enqueue({ line: null, then })
  }

  async close(): Promise<void> {
    await this.#flushing
    await this.#file.close()
  }

  #enqueue(step: Step): void {
    this.#waiting.push(step)
    this.#flushing ??= this.#flush().catch(this.#onFailure)
  }

  /** Whatever gathers in one turn, or during one fsync, shares the next fsync. */
  async #flush(): Promise<void> {
    await null
    while (this.#waiting.length > 0) {
      const steps = this.#waiting
      this.#waiting = []
      const text = steps.map(({ line }) => line ?? '').join('')
      if (text !== '') {
        await this.#file.appendFile(text)
        await this.#file.datasync()
      }
      for (const { then } of steps) then()
    }
    this.#flushing = null
  }
}

function parseLine<Line>(text: string): Line[] {
  try {
    return text === '' ? [] : [JSON.parse(text) as Line]
  } catch {
    return []
  }
}
