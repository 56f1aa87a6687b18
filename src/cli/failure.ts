// How commands fail: one sentence for the person, one exit code for the script that called us.

/** Documented in docs/guide/command-line.md; scripts depend on them. */
export const exitCodes = {
  ok: 0,
  /** Something went wrong here or on the server; a check failed; the batch did not complete. */
  failed: 1,
  /** Wrong usage or configuration: nothing was tried. */
  usage: 2,
  /** No server answers at the address. */
  unreachable: 3,
  /** The server understood and said no: wrong key, unknown batch, bad file. */
  refused: 4,
  /** Ctrl-C: 128 + SIGINT. */
  interrupted: 130,
} as const

export type ExitReason = keyof typeof exitCodes

export class CommandFailure extends Error {
  readonly reason: ExitReason
  /** Lines below the sentence, e.g. the fields that were wrong. */
  readonly details: readonly string[]

  constructor(reason: ExitReason, sentence: string, details: readonly string[] = []) {
    super(sentence)
    this.name = 'CommandFailure'
    this.reason = reason
    this.details = details
  }
}
