// What wakes nodes that have nothing to do: NOTIFY from other nodes, heard on a connection of its own.
//
// NOTIFY takes a lock of the whole cluster at commit, so it is sent only by what idle nodes wait for (batches that start,
// rows, limits, stops), never for each call that ends.
import { Client, type ClientConfig } from 'pg'

export const channels = { work: 'outdial_work', events: 'outdial_events' } as const
export type Signal = keyof typeof channels

const firstReconnectMs = 100
const maxReconnectMs = 5_000

export class Signals {
  readonly #config: ClientConfig
  readonly #instanceId: string
  readonly #onSignal: (signal: Signal) => void
  #client: Client | null = null
  #retry: NodeJS.Timeout | null = null
  #isClosed = false

  /** `instanceId`: what this process's own signals carry, so that it does not hear itself. */
  constructor(config: ClientConfig, instanceId: string, onSignal: (signal: Signal) => void) {
    this.#config = config
    this.#instanceId = instanceId
    this.#onSignal = onSignal
  }

  /** Resolves once the first connection listens. */
  async listen(): Promise<void> {
    const client = new Client(this.#config)
    this.#client = client
    let isOver = false
    const over = () => {
      if (isOver) return
      isOver = true
      client.end().catch(() => {})
      if (this.#client === client) this.#client = null
    }
    client.on('notification', ({ channel, payload }) => {
      if (payload === this.#instanceId) return
      this.#onSignal(channel === channels.work ? 'work' : 'events')
    })
    try {
      client.on('error', over)
      await client.connect()
      await client.query(`LISTEN ${channels.work}; LISTEN ${channels.events}`)
    } catch (error) {
      over()
      throw error
    }
    if (this.#isClosed) return over()
    const lost = () => {
      over()
      this.#reconnectAfter(firstReconnectMs)
    }
    client.on('error', lost)
    client.on('end', lost)
    if (isOver) lost()
  }

  async close(): Promise<void> {
    this.#isClosed = true
    if (this.#retry !== null) clearTimeout(this.#retry)
    const client = this.#client
    this.#client = null
    await client?.end().catch(() => {})
  }

  #reconnectAfter(delayMs: number): void {
    if (this.#isClosed || this.#retry !== null) return
    this.#retry = setTimeout(() => {
      this.#retry = null
      this.listen().then(
        () => {
          // Something may have been said meanwhile.
          this.#onSignal('work')
          this.#onSignal('events')
        },
        () => this.#reconnectAfter(Math.min(delayMs * 2, maxReconnectMs)),
      )
    }, delayMs)
    this.#retry.unref()
  }
}
