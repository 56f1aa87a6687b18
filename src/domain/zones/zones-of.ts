// In which time zones a telephone number may be, by its prefix (Google's table; see README.md beside this file).
import prefixTable from './prefix-zones.json' with { type: 'json' }

/**
 * The IANA zones of an E.164 number, joined by `|` where its prefix spans several; null: the prefix has none. The
 * longest prefix wins. A number of a whole country with many zones (US freephone) keeps them all.
 */
export function zonesOf(e164: string): string | null {
  let zones: string | null = null
  for (let end = 2; end <= e164.length; end++) {
    const found = table.get(e164.slice(1, end))
    // Most numbers leave the table after their country code: from short to long is 3 steps, from long to short 7.
    if (found === undefined) break
    zones = found ?? zones
  }
  return zones
}

/** Prefix → zones; null where only longer prefixes have some. */
const table = new Map<string, string | null>()
for (const [zones, prefixes] of Object.entries(prefixTable)) {
  for (const prefix of prefixes.split(' ')) {
    table.set(prefix, zones)
    for (let end = 1; end < prefix.length; end++) {
      const shorter = prefix.slice(0, end)
      if (!table.has(shorter)) table.set(shorter, null)
    }
  }
}
