// Server-sent events from the outbox (WHATWG HTML §9.2): each stream reads its own pages as fast as its reader takes them,
// so that a slow reader costs a place in the outbox and nothing else.
import { once } from 'node:events'
import type { ServerResponse } from 'node:http'
import type { FastifyReply } from 'fastify'
import type { OutboxEvent } from '../../domain/event.ts'
import { Refusal } from '../../domain/refusal.ts'
import type { Clock } from '../../runtime/clock.ts'
import { waitFor } from '../../runtime/wait.ts'
import type { Store } from '../../store/store.ts'
import type { OutboxFilter } from '../../store/webhook-records.ts'
import { presentEvent } from './present.ts'

export const maxStreamsPerWorkspace = 20
/** Events that are made into text at once. */
const pageEvents = 200
/** A line without meaning now and then: proxies close what is silent. */
export const heartbeatMs = 15_000
/** What happens within it is read together: a hundred streams do not read at every commit. */
const gatherMs = 50
/** Another node's commits are announced to nobody here: they are looked for. */
const pollMs = 1_000
/** A reader that takes nothing for so long is gone. */
const maxStallMs = 60_000
/** What a client waits before it connects again. */
const reconnectMs = 2_000

export class EventStreams {
  readonly #deps: { store: Store; clock: Clock }
  readonly #open = new Map<AbortController, number>()

  constructor(deps: { store: Store; clock: Clock }) {
    this.#deps = deps
  }

  /**
   * Takes the reply over and writes until its reader goes or the server ends.
   * @param after the last event that the reader has; null: what happens from now on. Refusal `too_many_streams`
   */
  async open(reply: FastifyReply, filter: OutboxFilter, after: number | null): Promise<void> {
    const { workspaceId } = filter
    const ofWorkspace = [...this.#open.values()].filter(id => id === workspaceId).length
    if (ofWorkspace >= maxStreamsPerWorkspace)
      throw new Refusal(
        'too-many',
        'too_many_streams',
        `A workspace has at most ${maxStreamsPerWorkspace} event streams at once. Close one, or read pages.`,
      )
    const stop = new AbortController()
    this.#open.set(stop, workspaceId ?? 0)
    try {
      const position = after ?? (await this.#deps.store.outboxHead())
      const headers = reply.getHeaders() as Record<string, string>
      reply.hijack()
      const { raw } = reply
      raw.on('close', () => stop.abort())
      raw.writeHead(200, {
        ...headers,
        'content-type': 'text/event-stream; charset=utf-8',
        'cache-control': 'no-store',
        // nginx would gather it.
        'x-accel-buffering': 'no',
      })
      await this.#follow(raw, filter, position, stop.signal).finally(() => raw.end())
    } finally {
      this.#open.delete(stop)
    }
  }

  /** At shutdown: readers see an end, and come back to the next server with their last id. */
  end(): void {
    for (const stop of this.#open.keys()) stop.abort()
  }

  async #follow(
    raw: ServerResponse,
    filter: OutboxFilter,
    after: number,
    signal: AbortSignal,
  ): Promise<void> {
    const { store, clock } = this.#deps
    // The id alone: a reader that is cut off before the first event comes back to the same place.
    let taken = await this.#write(raw, `retry: ${reconnectMs}\nid: ${after}\n\n`, signal)
    let position = after
    let spokeAt = clock.now()
    const news = listenForNews(store)
    try {
      while (taken && !signal.aborted) {
        news.clear()
        const page = await store.readOutbox(filter, { after: position, limit: pageEvents })
        const moved = page.position > position
        position = page.position
        let text = page.events.map(toText).join('')
        // What was passed over need not be passed over again after a reconnection.
        if (text === '' && clock.now() - spokeAt >= heartbeatMs) text = `: still here\nid: ${position}\n\n`
        if (text !== '') {
          taken = await this.#write(raw, text, signal)
          spokeAt = clock.now()
        }
        if (!page.atEnd) {
          if (moved) await new Promise(resolve => setImmediate(resolve))
          continue
        }
        await waitFor(clock, gatherMs, signal)
        await news.wait(clock, Math.min(spokeAt + heartbeatMs, clock.now() + pollMs), signal)
      }
    } finally {
      news.close()
    }
  }

  /** False: the reader is gone, or has taken nothing for too long. */
  async #write(raw: ServerResponse, text: string, signal: AbortSignal): Promise<boolean> {
    if (signal.aborted) return false
    if (raw.write(text)) return true
    const stalled = new AbortController()
    const { clock } = this.#deps
    const timer = clock.at(clock.now() + maxStallMs, () => stalled.abort())
    try {
      await once(raw, 'drain', { signal: AbortSignal.any([signal, stalled.signal]) })
      return true
    } catch {
      // Also when the server ends: what it has not taken it will not take, and closing would wait for it.
      raw.destroy()
      return false
    } finally {
      timer.cancel()
    }
  }
}

function toText(event: OutboxEvent): string {
  return `id: ${event.id}\nevent: ${event.type}\ndata: ${JSON.stringify(presentEvent(event))}\n\n`
}

/** Remembers that something was committed since `clear`, and waits for it. */
function listenForNews(store: Pick<Store, 'onEvents'>) {
  let came = false
  let wake = () => {}
  const close = store.onEvents(() => {
    came = true
    wake()
  })
  return {
    close,
    clear() {
      came = false
    },
    /** Until there is news, or until `atMs`, or until `signal`. */
    async wait(clock: Clock, atMs: number, signal: AbortSignal): Promise<void> {
      if (came) return
      const over = new AbortController()
      wake = () => over.abort()
      await waitFor(clock, Math.max(0, atMs - clock.now()), AbortSignal.any([signal, over.signal]))
    },
  }
}
