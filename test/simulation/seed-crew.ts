// Lives simulated by processes of their own, one for each core: they have nothing to share, and one that hangs or dies
// takes one seed with it.
import { type ChildProcess, fork } from 'node:child_process'
import type { LifeReport } from './life.ts'
import { noFigures } from './story.ts'

const workerFile = new URL('./seed-worker.ts', import.meta.url)
/** A life takes a quarter of a second; the longest of 10,000 took some seconds. */
const hangsAfterMs = 120_000

export interface CrewOptions {
  from: number
  seeds: number
  workers: number
  /** Told in the order in which they end; true: that is enough. */
  onLife(report: LifeReport): boolean
}

/** Resolves when all seeds are through, or somebody had enough. */
export function simulateLives(options: CrewOptions): Promise<void> {
  return new Promise(resolve => {
    new SeedCrew(options, resolve).start()
  })
}

class SeedCrew {
  readonly #options: CrewOptions
  readonly #done: () => void
  readonly #workers = new Map<ChildProcess, { seed: number; watch: NodeJS.Timeout }>()
  #next: number
  #over = false

  constructor(options: CrewOptions, done: () => void) {
    this.#options = options
    this.#done = done
    this.#next = options.from
  }

  start(): void {
    for (let worker = 0; worker < this.#options.workers; worker++) this.#hire()
  }

  #hire(): void {
    const worker = fork(workerFile, {
      stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
      execArgv: ['--expose-gc'],
    })
    worker.on('message', report => this.#lived(worker, report as LifeReport))
    worker.on('exit', code => this.#died(worker, code))
    this.#give(worker)
  }

  #give(worker: ChildProcess): void {
    const { from, seeds } = this.#options
    if (this.#over || this.#next >= from + seeds) {
      this.#workers.delete(worker)
      worker.disconnect()
      if (this.#workers.size === 0) this.#done()
      return
    }
    const seed = this.#next++
    this.#workers.set(worker, { seed, watch: setTimeout(() => worker.kill('SIGKILL'), hangsAfterMs) })
    worker.send({ seed })
  }

  #lived(worker: ChildProcess, report: LifeReport): void {
    clearTimeout(this.#workers.get(worker)?.watch)
    this.#over ||= this.#options.onLife(report)
    this.#give(worker)
  }

  #died(worker: ChildProcess, code: number | null): void {
    const work = this.#workers.get(worker)
    if (work === undefined) return
    clearTimeout(work.watch)
    this.#workers.delete(worker)
    const what = code === null ? 'the life hangs' : `the process ended with ${code}`
    const violation = { promise: 'always finished', what } as const
    const report = { seed: work.seed, hash: '', figures: noFigures(), violation, lastLines: [] }
    this.#over ||= this.#options.onLife(report)
    this.#hire()
  }
}
