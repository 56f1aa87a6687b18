// One carrier in front of several: a trunk's settings say whether its calls are played here or in another process.
import type { Trunk } from '../../domain/workspace.ts'
import type { Clock } from '../../runtime/clock.ts'
import type { Call, CallObserver, CallRequest, Carrier, RescueAnswer } from '../carrier.ts'
import { misconfigured, refusalEvidence, refuseCall } from './refusal.ts'
import { RemoteCarrier } from './remote-carrier.ts'
import { readAddress } from './settings.ts'

export interface CarrierRouterOptions {
  /** Plays the calls of trunks without an address; closed together with the router. */
  inProcess: Carrier
  clock: Clock
}

export class CarrierRouter implements Carrier {
  readonly #inProcess: Carrier
  readonly #clock: Clock
  /** By port; a connection is made with the first call. */
  readonly #remotes = new Map<number, RemoteCarrier>()

  constructor({ inProcess, clock }: CarrierRouterOptions) {
    this.#inProcess = inProcess
    this.#clock = clock
  }

  dial(request: CallRequest, observer: CallObserver): Call {
    const { trunk } = request
    // A call on a real trunk must not be played as if it had been held; 403 opens the breaker and costs no attempt.
    if (trunk.kind !== 'simulated')
      return refuseCall(this.#clock, observer, refusalEvidence(403, 'SIP trunks cannot place calls yet'))
    const carrier = this.#carrierOf(trunk)
    if ('error' in carrier) return refuseCall(this.#clock, observer, misconfigured(carrier.error))
    return carrier.dial(request, observer)
  }

  async rescue(trunk: Trunk, callIds: string[]): Promise<RescueAnswer[]> {
    if (trunk.kind !== 'simulated') return callIds.map(() => 'never-placed')
    const carrier = this.#carrierOf(trunk)
    return 'error' in carrier ? callIds.map(() => 'unknown') : carrier.rescue(trunk, callIds)
  }

  async close(): Promise<void> {
    await Promise.all([this.#inProcess, ...this.#remotes.values()].map(carrier => carrier.close()))
  }

  #carrierOf(trunk: Trunk): Carrier | { error: string } {
    const address = readAddress(trunk.settings)
    if ('error' in address) return address
    return address.port === null ? this.#inProcess : this.#remoteAt(address.port)
  }

  #remoteAt(port: number): RemoteCarrier {
    let remote = this.#remotes.get(port)
    if (remote === undefined) {
      remote = new RemoteCarrier(port, this.#clock)
      this.#remotes.set(port, remote)
    }
    return remote
  }
}
