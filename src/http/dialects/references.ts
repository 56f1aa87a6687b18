// What a client calls its agent or phone number, turned into the spelling that the store knows.
import { referenceCandidates } from './wire-id.ts'

export interface Resolved<Thing> {
  thing: Thing
  /** An alias, or an id in digits. */
  ref: string
}

/** Tries the alias exactly as sent, then the integer behind the prefix; null: neither is there. */
export async function resolveReference<Thing>(
  sent: string,
  prefix: string,
  find: (ref: string) => Promise<Thing | null>,
): Promise<Resolved<Thing> | null> {
  for (const ref of referenceCandidates(sent, prefix)) {
    const thing = await find(ref)
    if (thing !== null) return { thing, ref }
  }
  return null
}
