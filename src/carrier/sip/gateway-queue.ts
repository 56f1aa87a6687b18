// The gateways of one call in the order in which they are tried: names are looked up only when their turn comes.
import type { CallContext } from './call-context.ts'
import { type Gateway, literalHop } from './resolver.ts'
import type { Hop } from './transport.ts'

/** More addresses than this behind the names of one trunk are not tried for one call. */
const maxHops = 16

export class GatewayQueue {
  readonly #context: Pick<CallContext, 'resolver' | 'health' | 'addresses'>
  readonly #gateways: Gateway[]
  #hops: Hop[] = []
  /** Those that lately refused: their turn comes when all others have had theirs. */
  #down: Hop[] = []
  #given = 0
  #lastError: string | null = null

  constructor(context: Pick<CallContext, 'resolver' | 'health' | 'addresses'>, gateways: readonly Gateway[]) {
    this.#context = context
    this.#gateways = [...gateways]
  }

  /** Why the last name led nowhere; null: none failed. */
  get lastError(): string | null {
    return this.#lastError
  }

  /** null: there is none left. A promise only where a name has to be looked up. */
  next(): Hop | null | Promise<Hop | null> {
    if (this.#given >= maxHops) return null
    for (;;) {
      const hop = this.#hops.shift()
      if (hop !== undefined) {
        if (this.#context.health.isDown(hop)) {
          this.#down.push(hop)
          continue
        }
        this.#given++
        return hop
      }
      const gateway = this.#gateways.shift()
      if (gateway === undefined) return this.#last()
      if (!this.#context.addresses.has(gateway.protocol)) {
        this.#lastError = `${gateway.protocol} is not open here`
        continue
      }
      const literal = literalHop(gateway)
      if (literal === null) return this.#lookUp(gateway)
      this.#hops = [literal]
    }
  }

  #last(): Hop | null {
    const hop = this.#down.shift() ?? null
    if (hop !== null) this.#given++
    return hop
  }

  async #lookUp(gateway: Gateway): Promise<Hop | null> {
    try {
      this.#hops = [...(await this.#context.resolver.resolve(gateway))]
    } catch (error) {
      this.#lastError = (error as NodeJS.ErrnoException).code ?? 'the name leads nowhere'
    }
    return this.next()
  }
}
