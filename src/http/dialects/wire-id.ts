// Ids on the wire: one integer per thing, printed as it is or behind a vendor's prefix, and echoed as the client spelled it.
import type { Batch } from '../../domain/batch.ts'

/** Sixteen digits would pass 2^53: such an id cannot be ours. */
const integerId = /^[1-9]\d{0,14}$/

/** The integer of `batch_456` for the prefix `batch_` (of `456` for the empty one); null when it is malformed. */
export function parseWireId(text: string, prefix: string): number | null {
  if (!text.startsWith(prefix)) return null
  const digits = text.slice(prefix.length)
  return integerId.test(digits) ? Number(digits) : null
}

/**
 * The spellings under which a store may know what a client sent: an alias exactly as it stands first, then the integer
 * behind the prefix.
 */
export function referenceCandidates(sent: string, prefix: string): string[] {
  const id = prefix === '' ? null : parseWireId(sent, prefix)
  return id === null ? [sent] : [sent, String(id)]
}

/** What an answer shows for the agent: the alias it was sent as in this dialect, else the id behind the prefix. */
export function printAgentId(batch: Batch, dialect: Batch['dialect'], prefix: string): string {
  return printReference(batch.dialect === dialect ? batch.sentAgentId : null, batch.agentId, prefix)
}

/** As `printAgentId`, for the caller ID. */
export function printPhoneNumberId(batch: Batch, dialect: Batch['dialect'], prefix: string): string {
  return printReference(
    batch.dialect === dialect ? batch.sentPhoneNumberId : null,
    batch.phoneNumberId,
    prefix,
  )
}

function printReference(sent: string | null, id: number, prefix: string): string {
  return sent === null || sent === '' || sent === String(id) ? `${prefix}${id}` : sent
}
