// When somebody of a batch is due next, by standing and zone, remembered between claims: a batch whose people live in
// twelve zones would otherwise ask 24 questions for each call that ends. Simulating 10,000 calls took half as long again.
//
// What is remembered may be too early (then a claim asks in vain), never too late: everything that makes somebody due
// says so here, or changes the rules, and a group that is rolled back does that too. The safety net asks without it.
import type { Due } from '../claim-round.ts'
import type { Connection } from './connection.ts'

export class DueTimes {
  readonly #connection: Connection
  readonly #at = new Map<string, number>()
  #version = -1

  constructor(connection: Connection) {
    this.#connection = connection
  }

  /** Epoch ms; Infinity: nobody waits; undefined: not known. */
  get(batchId: number, standing: Due, zone: string): number | undefined {
    this.#forgetStale()
    return this.#at.get(keyOf(batchId, standing, zone))
  }

  know(batchId: number, standing: Due, zone: string, at: number): void {
    this.#forgetStale()
    this.#at.set(keyOf(batchId, standing, zone), at)
  }

  /** Somebody will be due at `at`. */
  lower(batchId: number, standing: Due, zone: string, at: number): void {
    const known = this.get(batchId, standing, zone)
    if (known !== undefined && at < known) this.#at.set(keyOf(batchId, standing, zone), at)
  }

  forget(): void {
    this.#at.clear()
  }

  #forgetStale(): void {
    if (this.#version === this.#connection.rulesVersion) return
    this.#version = this.#connection.rulesVersion
    this.#at.clear()
  }
}

const keyOf = (batchId: number, standing: Due, zone: string) => `${batchId} ${standing} ${zone}`
