// Ranges of UDP ports for audio, as people write them.

/** Even ports for RTP, the odd one above each for RTCP. */
export interface PortRange {
  first: number
  last: number
}

export const minRtpPort = 1_024
/** Linux gives out the ports above it to whoever asks for any. */
export const maxRtpPort = 32_766

/** `16384-32766`; null: not two ports in order, the first one even, within the bounds. */
export function readPortRange(text: string): PortRange | null {
  const [first = 0, last = 0] = text.split('-').map(Number)
  const isRange = first % 2 === 0 && first >= minRtpPort && last > first && last <= maxRtpPort
  return isRange ? { first, last } : null
}
