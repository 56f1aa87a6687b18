// What the carrier still holds of our calls, on disk: an append-only file beside the database, written before each INVITE
// leaves, so that a later life of this process can hang up what a crash left (design §3.3).
import { closeSync, existsSync, openSync, readFileSync, renameSync, writeSync } from 'node:fs'
import type { Clock } from '../../runtime/clock.ts'
import type { CallSnapshot } from './call.ts'

/** How a call of the journal ended, or that it was never allowed to begin. */
export type JournalEnd = 'unanswered' | 'answered' | 'withdrawn'

export type Kept = { state: 'live'; snapshot: CallSnapshot } | { state: 'over'; end: JournalEnd; at: number }

/** Rewritten when it has grown by so much. */
const maxGrowthBytes = 64 * 1024 * 1024
/** How long an ended call is remembered: the store asks only about calls whose end it has not got. */
const keepEndedMs = 60 * 60_000

interface Line {
  id: string
  at: number
  snapshot?: CallSnapshot
  end?: JournalEnd
}

/**
 * One line for each change, about 600 bytes, with one write each: 6 µs. It survives the death of the process, not of the
 * machine: after a power cut the carrier's own timers must do.
 */
export class DialogJournal {
  readonly #path: string
  readonly #clock: Clock
  readonly #kept = new Map<string, Kept>()
  readonly #isWhole: boolean
  #file: number
  #writtenBytes = 0
  #closed = false

  /** Opens or makes the file; a line that a crash cut short is passed over. */
  constructor(path: string, clock: Clock) {
    this.#path = path
    this.#clock = clock
    this.#isWhole = existsSync(path)
    if (this.#isWhole) this.#read(readFileSync(path, 'utf8'))
    this.#file = this.#rewrite()
  }

  /** Whether a Call-ID that is not here was certainly never dialled. A file that is gone proves nothing. */
  get isWhole(): boolean {
    return this.#isWhole
  }

  of(callId: string): Kept | null {
    return this.#kept.get(callId) ?? null
  }

  changed(snapshot: CallSnapshot): void {
    this.#kept.set(snapshot.callId, { state: 'live', snapshot })
    this.#write({ id: snapshot.callId, at: this.#clock.now(), snapshot })
  }

  ended(callId: string, end: JournalEnd): void {
    const at = this.#clock.now()
    this.#kept.set(callId, { state: 'over', end, at })
    this.#write({ id: callId, at, end })
  }

  close(): void {
    if (this.#closed) return
    this.#closed = true
    closeSync(this.#file)
  }

  #write(line: Line): void {
    if (this.#closed) return
    this.#writtenBytes += writeSync(this.#file, `${JSON.stringify(line)}\n`)
    if (this.#writtenBytes < maxGrowthBytes) return
    closeSync(this.#file)
    this.#file = this.#rewrite()
  }

  #read(text: string): void {
    for (const line of text.split('\n')) {
      const read = parseLine(line)
      if (read === null) continue
      const { id, at, snapshot, end } = read
      if (end !== undefined) this.#kept.set(id, { state: 'over', end, at })
      else if (snapshot !== undefined) this.#kept.set(id, { state: 'live', snapshot })
    }
  }

  /** Writes anew what is still of use, beside the old file, and takes its place. */
  #rewrite(): number {
    const before = this.#clock.now() - keepEndedMs
    const lines: Line[] = []
    for (const [id, kept] of this.#kept) {
      if (kept.state === 'live') lines.push({ id, at: this.#clock.now(), snapshot: kept.snapshot })
      else if (kept.at >= before) lines.push({ id, at: kept.at, end: kept.end })
      else this.#kept.delete(id)
    }
    const fresh = `${this.#path}.new`
    const file = openSync(fresh, 'w', 0o600)
    writeSync(file, lines.map(line => `${JSON.stringify(line)}\n`).join(''))
    renameSync(fresh, this.#path)
    this.#writtenBytes = 0
    return file
  }
}

function parseLine(line: string): Line | null {
  if (line === '') return null
  try {
    const read = JSON.parse(line) as Line
    return typeof read.id === 'string' ? read : null
  } catch {
    return null
  }
}
