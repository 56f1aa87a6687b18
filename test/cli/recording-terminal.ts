// A terminal that remembers what commands said to it.
import type { Terminal } from '../../src/cli/terminal.ts'

export interface RecordingTerminal extends Terminal {
  /** Lines of stdout. */
  printed: string[]
  /** Lines of stderr. */
  notes: string[]
  drawn: string[]
}

export function recordingTerminal(
  options: { isLive?: boolean; columns?: number; answer?: boolean } = {},
): RecordingTerminal {
  const [printed, notes, drawn]: [string[], string[], string[]] = [[], [], []]
  return {
    printed,
    notes,
    drawn,
    print: line => void printed.push(line),
    write: async chunk => void printed.push(Buffer.from(chunk).toString('utf8')),
    note: line => void notes.push(line),
    redraw: line => void drawn.push(line),
    // An answer that was arranged; else nobody is there.
    ask:
      options.answer === undefined
        ? null
        : async question => {
            notes.push(question)
            return options.answer === true
          },
    isLive: options.isLive ?? false,
    columns: options.columns ?? 100,
  }
}
