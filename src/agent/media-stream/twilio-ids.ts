// Twilio's ids for our calls: two letters and 32 hex digits, always the same for the same call, so that nothing is kept.
import { createHash } from 'node:crypto'

/** The id that agents know a call by, e.g. to hang it up over the REST route. */
export function callSidOf(callId: string): string {
  return sid('CA', callId)
}

/** One stream per call. */
export function streamSidOf(callId: string): string {
  return sid('MZ', callId)
}

/** What stands for the account where an agent's settings name none. */
export const defaultAccountSid = sid('AC', 'outdial')

function sid(prefix: string, name: string): string {
  return prefix + createHash('sha256').update(name).digest('hex').slice(0, 32)
}
