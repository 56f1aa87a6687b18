// The even ports that calls may use, each resting for a while after its call: late packets of one call must not reach the next.

export interface PortRange {
  /** The port that has rested longest; null: none is free at `nowMs`. RTCP's is the next above it. */
  take(nowMs: number): number | null
  /** The call is over. @param restMs longer than usual, e.g. when another program holds the port */
  release(port: number, nowMs: number, restMs?: number): void
  free(nowMs: number): number
}

export interface PortBounds {
  /** Even. */
  first: number
  /** The last RTP port; its RTCP port may be one above it. */
  last: number
}

/** Linux gives out 32768 to 60999 to whoever asks for any port: there, ours would be taken now and then. */
export const maxPort = 32_767
const minPort = 1024
/** Longer than packets live in any network we meet, shorter than a call. */
const quarantineMs = 5000

/** @throws Error when the range is empty, odd or reaches into the kernel's own ports */
export function createPortRange({ first, last }: PortBounds): PortRange {
  if (first % 2 !== 0 || first < minPort || last > maxPort - 1 || last < first) {
    throw new Error(
      `RTP ports must begin with an even one from ${minPort} and end below ${maxPort}: ${first} to ${last} do not.`,
    )
  }
  /** In order of release; almost always of the end of their rest, too. */
  const resting: { port: number; until: number }[] = []
  for (let port = first; port <= last; port += 2) resting.push({ port, until: Number.NEGATIVE_INFINITY })
  return {
    take(nowMs) {
      const at = resting.findIndex(({ until }) => until <= nowMs)
      return at === -1 ? null : resting.splice(at, 1)[0]!.port
    },
    release(port, nowMs, restMs = quarantineMs) {
      resting.push({ port, until: nowMs + restMs })
    },
    free: nowMs => resting.filter(({ until }) => until <= nowMs).length,
  }
}
