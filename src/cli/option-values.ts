// What options may be: a value that is wrong is said in one sentence before anything is tried.
import { isIP } from 'node:net'
import { InvalidArgumentError } from 'commander'
import { maxRtpPort, minRtpPort, type PortRange, readPortRange } from '../runtime/port-range.ts'

export function wholeNumber(min: number, max: number): (text: string) => number {
  return text => {
    const value = Number(text)
    if (!Number.isInteger(value) || value < min || value > max) {
      throw new InvalidArgumentError(`It must be a whole number from ${min} to ${max}.`)
    }
    return value
  }
}

/** Of SDP and Contact, too: a wildcard leads nobody here. */
export function ownAddress(text: string): string {
  if (isIP(text) === 0 || text === '0.0.0.0' || text === '::')
    throw new InvalidArgumentError('It must be an IP address of this machine, e.g. 127.0.0.1.')
  return text
}

export function portRange(text: string): PortRange {
  const range = readPortRange(text)
  if (range === null)
    throw new InvalidArgumentError(
      `It must be like 12000-12798: an even port first, within ${minRtpPort} and ${maxRtpPort}.`,
    )
  return range
}

export function positiveNumber(text: string): number {
  const value = Number(text)
  if (!Number.isFinite(value) || value <= 0) throw new InvalidArgumentError('It must be a number above 0.')
  return value
}

export function shareOfOne(text: string): number {
  const value = Number(text)
  if (!(value >= 0 && value <= 1)) throw new InvalidArgumentError('It must be a number from 0 to 1.')
  return value
}
