// Processes of a benchmark that talk: the parent asks by name and waits, the child answers.
import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'

interface Question {
  id: number
  name: string
  value: unknown
}
type Answer = { id: number; value: unknown } | { id: number; error: string }
type Answering = (value: never) => unknown

/** A child that runs `file` and answers; it ends with its parent. */
export class BenchProcess {
  readonly #child: ChildProcess
  readonly #waiting = new Map<number, { resolve(value: unknown): void; reject(error: Error): void }>()
  #nextId = 1

  /** `file` is a program of bench/; what it prints is shown. */
  constructor(file: string, args: readonly string[]) {
    this.#child = fork(new URL(file, import.meta.url), args)
    this.#child.on('message', (answer: Answer) => {
      const waiting = this.#waiting.get(answer.id)
      this.#waiting.delete(answer.id)
      if ('error' in answer) waiting?.reject(new Error(`${file}: ${answer.error}`))
      else waiting?.resolve(answer.value)
    })
    this.#child.on('exit', (code, signal) => {
      for (const { reject } of this.#waiting.values())
        reject(new Error(`${file} ended (${signal ?? code}) without an answer`))
      this.#waiting.clear()
    })
  }

  ask<T>(name: string, value?: unknown): Promise<T> {
    const id = this.#nextId++
    return new Promise<T>((resolve, reject) => {
      this.#waiting.set(id, { resolve: resolve as (value: unknown) => void, reject })
      this.#child.send({ id, name, value } satisfies Question, error => {
        if (error !== null) reject(error)
      })
    })
  }

  /** Asks it to close what it has open, and waits until it is gone. */
  async stop(): Promise<void> {
    const gone = this.#gone()
    await this.ask('stop')
    this.#child.disconnect()
    await gone
  }

  /** `kill -9`; resolves once it is gone. */
  async kill(): Promise<void> {
    const gone = this.#gone()
    this.#child.kill('SIGKILL')
    await gone
  }

  async #gone(): Promise<void> {
    if (this.#child.exitCode === null && this.#child.signalCode === null) await once(this.#child, 'exit')
  }
}

/** In the child: answers by name. `stop` closes what is open; without a parent the process ends. */
export function answerParent(answers: { stop(): unknown } & Record<string, Answering>): void {
  const answerTo = async ({ id, name, value }: Question): Promise<Answer> => {
    try {
      return { id, value: await answers[name]?.(value as never) }
    } catch (error) {
      return { id, error: error instanceof Error ? (error.stack ?? error.message) : String(error) }
    }
  }
  process.on('message', async (question: Question) => process.send?.(await answerTo(question)))
  process.on('disconnect', () => process.exit())
}

/** Looks again and again, `everyMs` apart, until what is seen is `enough`. */
export async function until(everyMs: number, enough: () => boolean | Promise<boolean>): Promise<void> {
  while (!(await enough())) await new Promise(resolve => setTimeout(resolve, everyMs))
}

/** Starts `count` processes, does the work, and ends them whatever happens. */
export async function withProcesses<T>(
  count: number,
  start: (index: number) => BenchProcess,
  work: (processes: readonly BenchProcess[]) => Promise<T>,
): Promise<T> {
  const processes = Array.from({ length: count }, (_, index) => start(index))
  try {
    const result = await work(processes)
    await Promise.all(processes.map(each => each.stop()))
    return result
  } finally {
    await Promise.all(processes.map(each => each.kill()))
  }
}

/** The sum of what each answers. */
export async function sumOf(processes: readonly BenchProcess[], question: string): Promise<number> {
  const answers = await Promise.all(processes.map(each => each.ask<number>(question)))
  return answers.reduce((sum, each) => sum + each, 0)
}
