// Where an endpoint may be: what its URL says is checked when it is given, where its name leads when we connect.
import { isIP } from 'node:net'
import { isPublicAddress } from './public-address.ts'

const maxUrlLength = 2_048
const notPublic = 'leads to an address that is not public'

/**
 * What is wrong with it, half a sentence; null: nothing that can be seen before it is resolved. Written numbers such as
 * `0x7f.1` are read as WHATWG URLs have them, so that there is one spelling of each address.
 */
export function targetProblem(text: string, allowPrivate: boolean): string | null {
  if (text.length > maxUrlLength) return `must have at most ${maxUrlLength} characters`
  const url = URL.parse(text)
  if (url === null) return 'must be an absolute URL'
  if (url.protocol !== 'https:' && url.protocol !== 'http:') return 'must begin with https:// or http://'
  if (url.username !== '' || url.password !== '') return 'must hold no user name and no password'
  if (url.hash !== '') return 'must hold no fragment'
  return allowPrivate || isPossiblyPublic(hostOf(url)) ? null : notPublic
}

/** Without the brackets of an IPv6 address, and without the dot that ends a full name. */
export function hostOf(url: URL): string {
  return url.hostname.replace(/^\[|\]$/g, '').replace(/\.$/, '')
}

/** RFC 6761 §6.3: `localhost` and whatever ends so never leave the machine. */
function isPossiblyPublic(host: string): boolean {
  if (isIP(host) !== 0) return isPublicAddress(host)
  return host !== 'localhost' && !host.endsWith('.localhost')
}
