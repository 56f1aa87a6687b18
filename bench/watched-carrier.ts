// A carrier that tells of each dial and each end when it happens.
import type { Carrier } from '../src/carrier/carrier.ts'
import type { SlotChange } from './slot-watch.ts'

export class WatchedCarrier implements Carrier {
  readonly #carrier: Carrier
  readonly #see: (change: SlotChange) => void

  constructor(carrier: Carrier, see: (change: SlotChange) => void) {
    this.#carrier = carrier
    this.#see = see
  }

  dial: Carrier['dial'] = (request, observer) => {
    this.#see({ what: 'dial', atMs: monotonicMs() })
    return this.#carrier.dial(request, {
      ringing: at => observer.ringing(at),
      answered: at => observer.answered(at),
      ended: (evidence, at, conversation) => {
        this.#see({ what: 'end', atMs: monotonicMs() })
        observer.ended(evidence, at, conversation)
      },
    })
  }

  rescue: Carrier['rescue'] = (trunk, callIds, dialogs) => this.#carrier.rescue(trunk, callIds, dialogs)

  close: Carrier['close'] = () => this.#carrier.close()
}

/** One clock for all processes of the machine. */
function monotonicMs(): number {
  return Number(process.hrtime.bigint()) / 1e6
}
