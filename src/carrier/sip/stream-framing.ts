// Cuts a byte stream into SIP messages by their Content-Length (RFC 3261 §18.3).
import {
  findHeadEnd,
  maxHeadBytes,
  maxMessageBytes,
  readContentLength,
  skipLineBreaks,
} from './parse-message.ts'

/** Anchored at a line's beginning; both spellings (§7.3.3). */
const lengthPattern = /\r?\n(?:content-length|l)[ \t]*:[ \t]*([^\r\n]*)/i

export class StreamFraming {
  #held: Buffer<ArrayBufferLike> = Buffer.alloc(0)

  /**
   * Takes what arrived and returns the messages that are whole now; null: this is no SIP, the connection is to be
   * closed (a missing or absurd Content-Length leaves no way to find the next message).
   */
  push(chunk: Buffer): Buffer[] | null {
    this.#held = this.#held.length === 0 ? chunk : Buffer.concat([this.#held, chunk])
    const messages: Buffer[] = []
    for (;;) {
      const start = skipLineBreaks(this.#held)
      if (start > 0) this.#held = this.#held.subarray(start)
      if (this.#held.length === 0) return messages
      const end = findHeadEnd(this.#held, 0)
      if (end === null) return this.#held.length > maxHeadBytes ? null : messages
      const length = contentLength(this.#held, end.at)
      if (length === null || end.bodyAt + length > maxMessageBytes) return null
      if (this.#held.length < end.bodyAt + length) return messages
      messages.push(this.#held.subarray(0, end.bodyAt + length))
      this.#held = this.#held.subarray(end.bodyAt + length)
    }
  }
}

function contentLength(bytes: Buffer, headEnd: number): number | null {
  const stated = lengthPattern.exec(bytes.toString('latin1', 0, headEnd))?.[1]
  return stated === undefined ? null : readContentLength(stated.trim())
}
