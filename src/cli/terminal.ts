// Where a command speaks: data on stdout, everything else on stderr, so that output can be piped.

import { once } from 'node:events'
import { createInterface } from 'node:readline/promises'

export interface Terminal {
  /** Data, one line. */
  print(line: string): void
  /** Data as it is; resolves when the reader keeps up. */
  write(chunk: Uint8Array): Promise<void>
  /** Progress and remarks, one line. */
  note(line: string): void
  /** Rewrites the current line of stderr; only where `isLive`. */
  redraw(line: string): void
  /** Asks a person, who may answer y or yes; null: nobody is there. */
  ask: ((question: string) => Promise<boolean>) | null
  /** stderr is a terminal that can rewrite a line. */
  isLive: boolean
  /** Width of stderr in characters. */
  columns: number
}

const defaultColumns = 80
const clearLine = '\r\u001b[2K'

export function processTerminal(): Terminal {
  const { stdout, stderr } = process
  let drawn = false
  // A bar that stands on the line goes before the remark, and is drawn again by its owner.
  const note = (line: string) => {
    stderr.write(`${drawn ? clearLine : ''}${line}\n`)
    drawn = false
  }
  return {
    print(line) {
      if (drawn) stderr.write(clearLine)
      drawn = false
      stdout.write(`${line}\n`)
    },
    async write(chunk) {
      if (!stdout.write(chunk)) await once(stdout, 'drain')
    },
    note,
    redraw(line) {
      drawn = line !== ''
      stderr.write(clearLine + line)
    },
    ask: process.stdin.isTTY === true && stderr.isTTY === true ? askPerson : null,
    isLive: stderr.isTTY === true,
    columns: stderr.columns || defaultColumns,
  }
}

/** On stderr, since stdout may be piped. Ctrl-C and Ctrl-D mean no. */
async function askPerson(question: string): Promise<boolean> {
  const reader = createInterface({ input: process.stdin, output: process.stderr })
  const closed = once(reader, 'close').then(() => '')
  try {
    const answer = await Promise.race([reader.question(question), closed])
    return /^\s*y(es)?\s*$/i.test(answer)
  } finally {
    reader.close()
  }
}
