// What we know of the stream that comes in: how much was lost and how unevenly it came (RFC 3550 §6.4.1, appendix A).

export interface ReceptionFigures {
  received: number
  lost: number
  jitterMs: number
  /** Sequence number with its wraps above the 16 bits. */
  highestSequence: number
}

export interface Reception {
  /** @param arrivedMs monotonic */
  add(sequence: number, timestamp: number, arrivedMs: number): void
  figures(): ReceptionFigures
  /** The share lost since the last call, in 1/256. */
  takeFractionLost(): number
  /** A new stream: what was lost and received so far is kept in the totals. */
  restart(): void
}

/** A jump further than this is a new numbering, not loss (A.1 calls it MAX_DROPOUT). */
const maxDropout = 3000
const timestampsPerMs = 8

export function createReception(): Reception {
  /** First number of this stream; null: nothing came yet. */
  let base: number | null = null
  let highest = 0
  let receivedHere = 0
  let receivedBefore = 0
  let lostBefore = 0
  let jitter = 0
  let lastTransit: number | null = null
  let reported = { expected: 0, received: 0 }

  const expectedHere = () => (base === null ? 0 : highest - base + 1)
  /** Repeated packets can make it negative (§6.4.1); a total of what was lost cannot be. */
  const lostHere = () => Math.max(0, expectedHere() - receivedHere)

  const restart = () => {
    lostBefore += lostHere()
    receivedBefore += receivedHere
    base = lastTransit = null
    receivedHere = 0
    reported = { expected: 0, received: 0 }
  }

  const count = (sequence: number) => {
    const step = base === null ? 1 : ((sequence - (highest & 0xffff)) << 16) >> 16
    if (Math.abs(step) > maxDropout) restart()
    if (base === null) base = highest = sequence
    else highest = Math.max(highest, highest + step)
    receivedHere++
  }

  return {
    add(sequence, timestamp, arrivedMs) {
      count(sequence)
      const transit = arrivedMs * timestampsPerMs - timestamp
      if (lastTransit !== null) {
        const difference = Math.abs(transit - lastTransit)
        // The timestamp wrapped, or the stream jumped: no jitter.
        if (difference < 8000) jitter += (difference - jitter) / 16
      }
      lastTransit = transit
    },
    figures: () => ({
      received: receivedBefore + receivedHere,
      lost: lostBefore + lostHere(),
      jitterMs: jitter / timestampsPerMs,
      highestSequence: highest,
    }),
    takeFractionLost() {
      const expected = expectedHere() - reported.expected
      const received = receivedHere - reported.received
      reported = { expected: expectedHere(), received: receivedHere }
      const lost = expected - received
      return expected <= 0 || lost <= 0 ? 0 : Math.min(255, Math.floor((lost * 256) / expected))
    },
    restart,
  }
}
