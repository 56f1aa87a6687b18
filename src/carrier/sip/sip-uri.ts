// SIP URIs (RFC 3261 §19.1): taken apart to know where a request goes, and put together to dial.

export interface SipUri {
  scheme: 'sip' | 'sips'
  user: string | null
  /** Without the brackets of an IPv6 address. */
  host: string
  port: number | null
  /** Lower-case names; a parameter without a value is ''. */
  params: ReadonlyMap<string, string>
}

const uriPattern =
  /^(sips?):(?:([^@\s]*)@)?(\[[0-9a-f:.]+\]|[^\s:;?@<>[\]]+)(?::(\d{1,5}))?((?:;[^?\s]*)?)(?:\?\S*)?$/i

/** null: no SIP URI (a `tel:` one, say). */
export function parseSipUri(text: string): SipUri | null {
  const match = uriPattern.exec(text)
  if (match === null) return null
  const [, scheme = '', user, host = '', port, params = ''] = match
  if (port !== undefined && (Number(port) > 65_535 || Number(port) === 0)) return null
  return {
    scheme: scheme.toLowerCase() === 'sips' ? 'sips' : 'sip',
    user: user === undefined ? null : user.replace(/:.*$/, ''),
    host: host.replace(/^\[|\]$/g, '').toLowerCase(),
    port: port === undefined ? null : Number(port),
    params: parseParams(params),
  }
}

/** `;a=1;b` → a: `1`, b: ``. Values lose their quotes. */
export function parseParams(text: string): Map<string, string> {
  const params = new Map<string, string>()
  if (text === '') return params
  for (const part of splitParams(text)) {
    const equals = part.indexOf('=')
    const name = (equals === -1 ? part : part.slice(0, equals)).trim().toLowerCase()
    if (name === '' || params.has(name)) continue
    params.set(name, equals === -1 ? '' : unquote(part.slice(equals + 1).trim()))
  }
  return params
}

/** Semicolons within quotes belong to the value. */
function splitParams(text: string): string[] {
  if (!text.includes('"')) return text.split(';')
  return text.match(/(?:"(?:\\.|[^"\\])*"|[^;"])+/g) ?? []
}

export function unquote(text: string): string {
  if (!text.startsWith('"')) return text
  return text.replace(/^"|"$/g, '').replace(/\\(.)/g, '$1')
}

/** `sip:USER@HOST:PORT`, what the grammar forbids in a user escaped (§25.1). */
export function sipUri(user: string | null, host: string, port: number | null): string {
  const at = user === null ? '' : `${escapeUser(user)}@`
  return `sip:${at}${bracketed(host)}${port === null ? '' : `:${port}`}`
}

/** An IPv6 address stands in brackets (§19.1.1). */
export function bracketed(host: string): string {
  return host.includes(':') && !host.startsWith('[') ? `[${host}]` : host
}

function escapeUser(user: string): string {
  return user.replace(/[^A-Za-z0-9_.!~*'()&=+$,;?/-]/g, char => encodeURIComponent(char))
}
