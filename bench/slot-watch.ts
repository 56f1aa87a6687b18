// The far end's view of the slots: how many calls were open when, and how soon an ended call was followed by the next.

/** One change at the far end; `atMs` by a monotonic clock that all who report share. */
export interface SlotChange {
  what: 'dial' | 'end'
  atMs: number
}

export class SlotWatch {
  readonly #slots: number
  readonly #ends: number[] = []
  #open = 0
  #maxOpen = 0
  #dials = 0
  /** Since all slots were first taken. */
  #fullAt: number | null = null
  #lastAt = 0
  #slotMs = 0
  #lastDial = { at: 0, slotMs: 0 }
  readonly #wakeUpsMs: number[] = []

  constructor(slots: number) {
    this.#slots = slots
  }

  /** Changes come in order of time. */
  see({ what, atMs }: SlotChange): void {
    if (this.#fullAt !== null) this.#slotMs += this.#open * (atMs - this.#lastAt)
    this.#open += what === 'dial' ? 1 : -1
    this.#lastAt = atMs
    if (what === 'dial') this.#dialled()
    else this.#ends.push(atMs)
  }

  #dialled(): void {
    this.#dials++
    this.#maxOpen = Math.max(this.#maxOpen, this.#open)
    if (this.#open >= this.#slots) this.#fullAt ??= this.#lastAt
    const endedAt = this.#ends.shift()
    if (endedAt !== undefined) this.#wakeUpsMs.push(this.#lastAt - endedAt)
    this.#lastDial = { at: this.#lastAt, slotMs: this.#slotMs }
  }

  /**
   * What was seen between the moment when all slots were taken and the last dial (after which nothing was due): the share
   * of that time for which the slots were busy, and for each ended call the time to the dial that took its place, ms.
   */
  seen() {
    if (this.#fullAt === null) throw new Error('the slots were never all taken')
    const { at, slotMs } = this.#lastDial
    return {
      dials: this.#dials,
      maxOpen: this.#maxOpen,
      busy: slotMs / (this.#slots * (at - this.#fullAt)),
      wakeUpsMs: this.#wakeUpsMs,
    }
  }
}
