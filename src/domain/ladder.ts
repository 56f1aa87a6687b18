// A call's trace as the steps of its story: which message is what, which belong to the INVITE, what came only once more.
import type { CallTrace, TraceMessage } from './call-trace.ts'

export interface LadderStep extends TraceMessage {
  /** Of the request itself, or of the one that is answered. */
  method: string
  /** null: a request. */
  status: number | null
  /** The same bytes went the same way before. */
  isRepeated: boolean
}

/** In order of time. Messages that are no SIP are left out. */
export function ladderOf(trace: CallTrace | null): LadderStep[] {
  const seen = new Set<string>()
  return (trace?.messages ?? []).flatMap(message => {
    const { method, status } = readStartLine(message.text)
    if (method === null) return []
    const identity = `${message.direction} ${message.remote} ${message.text}`
    const isRepeated = seen.has(identity)
    seen.add(identity)
    return [{ ...message, method, status, isRepeated }]
  })
}

/** The first header of that name; null: there is none. */
export function headerOf({ text }: Pick<TraceMessage, 'text'>, name: string): string | null {
  const head = text.split(/\r?\n\r?\n/, 1)[0] ?? ''
  return new RegExp(`^${name}[ \\t]*:[ \\t]*(.*)$`, 'im').exec(head)?.[1]?.trim() ?? null
}

function readStartLine(text: string): { method: string | null; status: number | null } {
  const status = /^SIP\/2\.0 (\d{3})/.exec(text)?.[1]
  if (status === undefined) return { method: /^([A-Z]+) \S+ SIP\/2\.0/.exec(text)?.[1] ?? null, status: null }
  const method = /^\d+\s+([A-Z]+)/.exec(headerOf({ text }, 'CSeq') ?? '')?.[1] ?? null
  return { method, status: Number(status) }
}
