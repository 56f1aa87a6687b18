// From, To, Contact and Route values: a URI with a name before it and parameters behind (RFC 3261 §20.10, §25.1).
import { parseParams } from './sip-uri.ts'

export interface NameAddr {
  /** The display name without its quotes; '' where there is none. */
  display: string
  uri: string
  params: ReadonlyMap<string, string>
}

const bracketPattern = /^\s*("(?:\\.|[^"\\])*"|[^"<]*)\s*<\s*([^<>\s]+)\s*>(.*)$/s

/** null: neither `<uri>` nor a bare URI. */
export function parseNameAddr(value: string): NameAddr | null {
  const match = bracketPattern.exec(value)
  if (match !== null) {
    const [, name = '', uri = '', params = ''] = match
    const display = name.trim().replace(/^"|"$/g, '').replace(/\\(.)/g, '$1')
    return { display, uri, params: parseParams(params) }
  }
  if (/[<>"\s]/.test(value.trim())) return null
  // §20.10: without brackets what follows the semicolon is the header's, not the URI's.
  const [uri = '', ...params] = value.trim().split(';')
  return /^[a-z][a-z0-9+.-]*:./i.test(uri)
    ? { display: '', uri, params: parseParams(params.join(';')) }
    : null
}

/** `"Name" <uri>`; a name with quotes in it is escaped. */
export function nameAddr(display: string, uri: string): string {
  return display === '' ? `<${uri}>` : `"${display.replace(/["\\]/g, '\\$&')}" <${uri}>`
}
