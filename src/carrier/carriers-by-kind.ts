// One carrier in front of all: a trunk's kind says who takes its calls.
import type { TrunkKind } from '../domain/workspace.ts'
import type { Carrier } from './carrier.ts'

/** Closes all of them together. */
export function carriersByKind(carriers: Readonly<Record<TrunkKind, Carrier>>): Carrier {
  return {
    dial: (request, observer) => carriers[request.trunk.kind].dial(request, observer),
    rescue: (trunk, callIds, dialogs) => carriers[trunk.kind].rescue(trunk, callIds, dialogs),
    probe: async (trunk, ask) => (await carriers[trunk.kind].probe?.(trunk, ask)) ?? [],
    gateways: trunk => carriers[trunk.kind].gateways?.(trunk) ?? [],
    async close() {
      await Promise.all(Object.values(carriers).map(carrier => carrier.close()))
    },
  }
}
