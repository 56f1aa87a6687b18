// The far end's view of the slots: how many calls were open when, and how soon an ended call was followed by the next.
import type { Carrier } from '../src/carrier/carrier.ts'

export class WatchedCarrier implements Carrier {
  readonly #carrier: Carrier
  readonly #slots: number
  /** Performance times, ms. */
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

  constructor(carrier: Carrier, slots: number) {
    this.#carrier = carrier
    this.#slots = slots
  }

  dial: Carrier['dial'] = (request, observer) => {
    this.#changed(1)
    this.#dials++
    this.#maxOpen = Math.max(this.#maxOpen, this.#open)
    if (this.#open >= this.#slots) this.#fullAt ??= this.#lastAt
    const endedAt = this.#ends.shift()
    if (endedAt !== undefined) this.#wakeUpsMs.push(this.#lastAt - endedAt)
    this.#lastDial = { at: this.#lastAt, slotMs: this.#slotMs }
    return this.#carrier.dial(request, {
      ringing: at => observer.ringing(at),
      answered: at => observer.answered(at),
      ended: (evidence, at) => {
        this.#changed(-1)
        this.#ends.push(this.#lastAt)
        observer.ended(evidence, at)
      },
    })
  }

  rescue: Carrier['rescue'] = (trunk, callIds) => this.#carrier.rescue(trunk, callIds)

  close: Carrier['close'] = () => this.#carrier.close()

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

  #changed(by: 1 | -1): void {
    const now = performance.now()
    if (this.#fullAt !== null) this.#slotMs += this.#open * (now - this.#lastAt)
    this.#open += by
    this.#lastAt = now
  }
}
