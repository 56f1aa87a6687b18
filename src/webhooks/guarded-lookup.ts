// Names become addresses as we connect, and only checked addresses are connected to: a name that answers otherwise the
// second time (DNS rebinding) gains nothing.
import { type LookupAddress, lookup as systemLookup } from 'node:dns'
import { Resolver } from 'node:dns/promises'
import type { LookupFunction } from 'node:net'
import { isPublicAddress } from './public-address.ts'

/** A name server that does not answer: twice so long, then the delivery has failed. */
const queryTimeoutMs = 2_000
const queryTries = 2

export class AddressRefused extends Error {}

/** Every address of a name. @throws Error with a DNS code */
export type ResolveHost = (host: string) => Promise<LookupAddress[]>

/** For `net.connect`: all addresses of the name that may be connected to. */
export function guardedLookup(resolve: ResolveHost, allowPrivate: boolean): LookupFunction {
  return (host, options, callback) => {
    resolve(host).then(
      found => {
        const allowed = allowPrivate ? found : found.filter(({ address }) => isPublicAddress(address))
        const [first] = allowed
        if (first === undefined) callback(new AddressRefused('The host has no public address.'), '', 0)
        else if (options.all === true) callback(null, allowed)
        else callback(null, first.address, first.family)
      },
      error => callback(error, '', 0),
    )
  }
}

/**
 * Asks name servers itself: `getaddrinfo` has four threads that files share, and a slow name server would hold up
 * uploads and recordings. Names of this machine's own (/etc/hosts) count only where private targets are allowed.
 */
export function resolver(allowPrivate: boolean): ResolveHost {
  const servers = new Resolver({ timeout: queryTimeoutMs, tries: queryTries })
  return async host => {
    const [v4, v6] = await Promise.allSettled([servers.resolve4(host), servers.resolve6(host)])
    const found = [
      ...(v4.status === 'fulfilled' ? v4.value.map(address => ({ address, family: 4 })) : []),
      ...(v6.status === 'fulfilled' ? v6.value.map(address => ({ address, family: 6 })) : []),
    ]
    if (found.length > 0) return found
    if (allowPrivate) return resolveHere(host)
    throw v4.status === 'rejected' ? v4.reason : new Error('ENODATA')
  }
}

function resolveHere(host: string): Promise<LookupAddress[]> {
  return new Promise((resolve, reject) => {
    systemLookup(host, { all: true }, (error, addresses) => (error ? reject(error) : resolve(addresses)))
  })
}
