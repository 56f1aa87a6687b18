// A carrier whose trunks have defaults: what a trunk's own settings leave open, the configuration fills in.
import type { Trunk } from '../domain/workspace.ts'
import type { Carrier } from './carrier.ts'

/** Gives every trunk `defaults` where its own settings say nothing. */
export function withTrunkDefaults(carrier: Carrier, defaults: Readonly<Record<string, unknown>>): Carrier {
  // The adapters remember what they read by the settings object, so each trunk keeps one.
  const merged = new WeakMap<object, Trunk['settings']>()
  const complete = (trunk: Trunk): Trunk => {
    const settings = merged.getOrInsertComputed(trunk.settings, () => ({ ...defaults, ...trunk.settings }))
    return { ...trunk, settings }
  }
  return {
    dial: (request, observer) => carrier.dial({ ...request, trunk: complete(request.trunk) }, observer),
    rescue: (trunk, callIds, dialogs) => carrier.rescue(complete(trunk), callIds, dialogs),
    close: () => carrier.close(),
  }
}
