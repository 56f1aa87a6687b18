// The headers of a SIP message in the order they came, found by name whatever their spelling (RFC 3261 §7.3).

/**
 * Header lines with lower-case long names. A linear search over a dozen names beats a Map here: it is built for every
 * message and read two or three times.
 */
export class HeaderList {
  readonly names: string[] = []
  readonly values: string[] = []

  /** The first value of that name, comma lists unsplit; null: there is none. */
  get(name: string): string | null {
    const at = this.names.indexOf(name)
    return at === -1 ? null : this.values[at]!
  }

  has(name: string): boolean {
    return this.names.includes(name)
  }

  /** Every value of that name, comma lists taken apart: for Via, Route, Contact, Allow and the like. */
  list(name: string): string[] {
    const found: string[] = []
    for (let at = 0; at < this.names.length; at++)
      if (this.names[at] === name) found.push(...splitList(this.values[at]!))
    return found
  }

  /** Every line of that name, unsplit: for challenges, whose parameters have commas of their own. */
  lines(name: string): string[] {
    return this.values.filter((_, at) => this.names[at] === name)
  }

  add(name: string, value: string): this {
    this.names.push(name)
    this.values.push(value)
    return this
  }

  /** Via stands first by custom: proxies read no further than they must. */
  addFirst(name: string, value: string): this {
    this.names.unshift(name)
    this.values.unshift(value)
    return this
  }

  addAll(name: string, values: readonly string[]): this {
    for (const value of values) this.add(name, value)
    return this
  }
}

/** Cuts at commas that stand neither in quotes nor in angle brackets (RFC 3261 §7.3.1). */
export function splitList(value: string): string[] {
  if (!value.includes(',')) return value === '' ? [] : [value]
  const parts: string[] = []
  let quoted = false
  let depth = 0
  let start = 0
  for (let at = 0; at < value.length; at++) {
    const char = value[at]
    if (char === '\\' && quoted) at++
    else if (char === '"') quoted = !quoted
    else if (quoted) continue
    else if (char === '<') depth++
    else if (char === '>') depth--
    else if (char === ',' && depth <= 0) {
      parts.push(value.slice(start, at).trim())
      start = at + 1
    }
  }
  parts.push(value.slice(start).trim())
  return parts.filter(part => part !== '')
}

/** RFC 3261 §7.3.3 and the registered ones since: one letter stands for a name. */
const compactForms: readonly (readonly [string, string])[] = [
  ['a', 'Accept-Contact'],
  ['b', 'Referred-By'],
  ['c', 'Content-Type'],
  ['d', 'Request-Disposition'],
  ['e', 'Content-Encoding'],
  ['f', 'From'],
  ['i', 'Call-ID'],
  ['j', 'Reject-Contact'],
  ['k', 'Supported'],
  ['l', 'Content-Length'],
  ['m', 'Contact'],
  ['o', 'Event'],
  ['r', 'Refer-To'],
  ['s', 'Subject'],
  ['t', 'To'],
  ['u', 'Allow-Events'],
  ['v', 'Via'],
  ['x', 'Session-Expires'],
  ['y', 'Identity'],
]

const otherNames = [
  [
    'CSeq',
    'Max-Forwards',
    'Record-Route',
    'Route',
    'User-Agent',
    'Server',
    'Allow',
    'Require',
    'Unsupported',
  ],
  ['Authorization', 'Proxy-Authorization', 'WWW-Authenticate', 'Proxy-Authenticate', 'Min-SE', 'Reason'],
  ['Retry-After', 'Warning', 'P-Asserted-Identity', 'Accept', 'Date', 'Timestamp', 'Content-Disposition'],
].flat()

const writtenNames = new Map([...compactForms.map(([, name]) => name), ...otherNames].map(byLowerCase))
const knownNames = new Map([
  ...[...writtenNames].map(([lower, written]) => [written, lower] as const),
  ...[...writtenNames.keys()].map(lower => [lower, lower] as const),
  ...compactForms.flatMap(([letter, name]) => {
    const lower = name.toLowerCase()
    return [[letter, lower] as const, [letter.toUpperCase(), lower] as const]
  }),
])

function byLowerCase(written: string): readonly [string, string] {
  return [written.toLowerCase(), written]
}

/** `Via`, `VIA` and `v` are all `via`. */
export function lowerName(written: string): string {
  const known = knownNames.get(written)
  if (known !== undefined) return known
  const lower = written.toLowerCase()
  return knownNames.get(lower) ?? lower
}

/** As it stands on the wire: `call-id` → `Call-ID`; a name that nobody registered stays as it was given. */
export function writtenName(lower: string): string {
  return writtenNames.get(lower) ?? lower
}
