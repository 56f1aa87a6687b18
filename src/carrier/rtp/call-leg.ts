// One call as its agent sees it: what it plays goes to the bridge, what it decides and leaves behind is kept for the report.
import type { CallLeg } from '../../agent/agent.ts'
import type { Bridge } from '../../media/bridge.ts'
import type { Clock } from '../../runtime/clock.ts'
import type { LineEvent, LineReport, OpenLine } from './media.ts'

/** What a conversation leaves behind. */
export type Conversation = Pick<LineReport, 'results' | 'transcript'>

/** An agent gone wrong must not fill the memory of a thread that carries others' calls. */
const maxResults = 500
const maxTranscriptEntries = 5000
const maxTextLength = 20_000

export interface LegSettings {
  request: OpenLine
  bridge: Bridge
  clock: Clock
  conversation: Conversation
  tell(event: LineEvent): void
  tellMark(name: string): void
  /** True once the line is closed: then nothing has an effect any more. */
  isOver(): boolean
}

export function createCallLeg(settings: LegSettings): CallLeg {
  const { request, bridge, clock, conversation, tell, tellMark } = settings
  const whileOpen =
    <Args extends unknown[]>(act: (...args: Args) => void) =>
    (...args: Args): void => {
      if (!settings.isOver()) act(...args)
    }
  return {
    callId: request.callId,
    from: request.from,
    to: request.to,
    variables: request.variables,
    now: () => clock.now(),
    play: whileOpen(ulaw => {
      if (!bridge.queue.play(ulaw))
        tell({ kind: 'agent-failed', reason: 'audio more than ten minutes ahead of the line' })
    }),
    clear: whileOpen(() => bridge.queue.clear()),
    mark: whileOpen(name => bridge.queue.mark(() => tellMark(name))),
    playedMs: () => bridge.queue.playedMs(),
    pressKeys: whileOpen(digits => bridge.pressKeys(digits)),
    hangUp: whileOpen(when => {
      if (when === 'now') tell({ kind: 'agent-hung-up' })
      else bridge.queue.mark(() => tell({ kind: 'agent-hung-up' }))
    }),
    setResult: whileOpen((name, value) => {
      const isNew = !Object.hasOwn(conversation.results, name)
      if (!isNew || Object.keys(conversation.results).length < maxResults)
        keep(conversation.results, name, value)
    }),
    addTranscript: whileOpen(({ role, message, at }) => {
      if (conversation.transcript.length >= maxTranscriptEntries) return
      conversation.transcript.push({ role, message: message.slice(0, maxTextLength), at })
    }),
    doNotCallAgain: whileOpen(() => tell({ kind: 'do-not-call-again' })),
    fail: whileOpen(reason => tell({ kind: 'agent-failed', reason })),
  }
}

/** Results cross to another thread and into JSON: what neither can carry is kept as text. */
function keep(results: Record<string, unknown>, name: string, value: unknown): void {
  const json = jsonOf(value)
  const kept =
    json === undefined || json.length > maxTextLength
      ? String(value).slice(0, maxTextLength)
      : JSON.parse(json)
  Object.defineProperty(results, name, { value: kept, enumerable: true, configurable: true, writable: true })
}

function jsonOf(value: unknown): string | undefined {
  try {
    return JSON.stringify(value)
  } catch {
    return undefined
  }
}
