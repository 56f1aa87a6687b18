// DNS as the machine knows it: SRV records from its name servers, addresses also from its hosts file.
import { lookup, resolveSrv } from 'node:dns/promises'
import type { Dns } from './resolver.ts'

export const systemDns: Dns = {
  resolveSrv,
  async resolveAddresses(name) {
    const found = await lookup(name, { all: true, order: 'ipv4first' })
    return found.map(({ address }) => address)
  },
}
