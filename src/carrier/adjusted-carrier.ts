// A carrier that hears adjusted requests: settings that a trunk leaves open, and numbers whose endings mean nothing.
import type { Trunk } from '../domain/workspace.ts'
import type { CallRequest, Carrier } from './carrier.ts'

/** Gives every trunk `defaults` where its own settings say nothing. */
export function withTrunkDefaults(carrier: Carrier, defaults: Readonly<Record<string, unknown>>): Carrier {
  // The adapters remember what they read by the settings object, so each trunk keeps one.
  const merged = new WeakMap<object, Trunk['settings']>()
  const complete = (trunk: Trunk): Trunk => {
    const settings = merged.getOrInsertComputed(trunk.settings, () => ({ ...defaults, ...trunk.settings }))
    return { ...trunk, settings }
  }
  return adjusted(carrier, request => ({ ...request, trunk: complete(request.trunk) }), complete)
}

/**
 * The simulated carrier lets a number's last two digits force an outcome, for tests and demos. A forecast must not be
 * steered by them: it hears each number with 00 behind it, an ending that forces nothing.
 */
export function withoutForcedOutcomes(carrier: Carrier): Carrier {
  return adjusted(carrier, request => ({ ...request, to: `${request.to}00` }))
}

function adjusted(
  carrier: Carrier,
  request: (request: CallRequest) => CallRequest,
  trunk: (trunk: Trunk) => Trunk = same => same,
): Carrier {
  return {
    dial: (asked, observer) => carrier.dial(request(asked), observer),
    rescue: (asked, callIds) => carrier.rescue(trunk(asked), callIds),
    close: () => carrier.close(),
  }
}
