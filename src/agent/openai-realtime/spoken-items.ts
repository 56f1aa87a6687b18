// Which of the agent's words the person has really heard: arithmetic over what was queued and what was played.

export interface Truncation {
  itemId: string
  contentIndex: number
  /** Milliseconds of the item that were heard. */
  heardMs: number
}

export interface SpokenItems {
  /** Audio of an item is queued now, while `playedMs` of the call's audio have been played in all. */
  queued(itemId: string, contentIndex: number, ms: number, playedMs: number): void
  /**
   * The person talks over the agent and the queue is dropped: each item that was not heard to its end. Later audio of
   * these items is not wanted any more.
   */
  interrupt(playedMs: number): Truncation[]
  isUnwanted(itemId: string): boolean
}

interface Item {
  itemId: string
  contentIndex: number
  /** In milliseconds of played audio, since the call's beginning. */
  startMs: number
  endMs: number
}

/** Items of one call whose late audio may still come. */
const maxUnwanted = 100

export function createSpokenItems(): SpokenItems {
  let items: Item[] = []
  const unwanted: string[] = []
  return {
    queued(itemId, contentIndex, ms, playedMs) {
      items = items.filter(item => item.endMs > playedMs || item.itemId === itemId)
      const last = items.at(-1)
      // The queue may have run dry since: then what comes now is played now.
      const startMs = Math.max(last?.endMs ?? 0, playedMs)
      if (last?.itemId === itemId && last.contentIndex === contentIndex) {
        // A gap in which nothing was played counts for no part of the item.
        last.startMs += startMs - last.endMs
        last.endMs = startMs + ms
      } else items.push({ itemId, contentIndex, startMs, endMs: startMs + ms })
    },
    interrupt(playedMs) {
      const cut = items.filter(({ endMs }) => endMs > playedMs)
      items = []
      unwanted.push(...cut.map(({ itemId }) => itemId))
      unwanted.splice(0, unwanted.length - maxUnwanted)
      return cut.map(({ itemId, contentIndex, startMs }) => ({
        itemId,
        contentIndex,
        heardMs: Math.max(0, Math.floor(playedMs - startMs)),
      }))
    },
    isUnwanted: itemId => unwanted.includes(itemId),
  }
}
