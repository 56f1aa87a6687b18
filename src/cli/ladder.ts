// A ladder of SIP messages in plain ASCII: who said what to whom, and when.

export interface LadderMessage {
  direction: 'sent' | 'received'
  /** Since the first message. */
  afterMs: number
  transport: string
  /** e.g. `192.0.2.1:5060`. */
  remote: string
  firstLine: string
}

const minWidth = 24
const maxWidth = 60
/** Time, the two rails, and the room beside them. */
const marginWidth = 14

/** Lines; a new heading wherever the other side is another. No messages: no lines. */
export function drawLadder(messages: readonly LadderMessage[], columns: number): string[] {
  const width = Math.min(maxWidth, Math.max(minWidth, columns - marginWidth))
  let side = ''
  return messages.flatMap(message => {
    const { remote, transport, afterMs } = message
    const now = `${remote} (${transport})`
    const heading = now === side ? [] : [`${' '.repeat(11)}us${now.padStart(width - 1)}`]
    side = now
    const time = `${(afterMs / 1_000).toFixed(3)} s`.padStart(10)
    return [...heading, `${time} |${rung(message, width)}|`]
  })
}

/** `--- INVITE -------->`, `<-- 407 Proxy Authentication Required ---`. */
function rung({ direction, firstLine }: LadderMessage, width: number): string {
  const room = width - 8
  const words = wordsOf(firstLine)
  const label = words.length > room ? `${words.slice(0, room - 3)}...` : words
  return direction === 'sent'
    ? `--- ${label} `.padEnd(width - 1, '-').concat('>')
    : `<-- ${label} `.padEnd(width, '-')
}

/** A request's method, an answer's code and words. */
function wordsOf(firstLine: string): string {
  const answer = /^SIP\/2\.0 (.*)$/.exec(firstLine)?.[1]
  return (answer ?? firstLine.split(' ', 1)[0] ?? '').replace(/[^\x20-\x7e]/g, '?')
}
