// The SIP messages of one call, as they went over the wire, for whoever asks what happened.

export interface TraceMessage {
  /** Epoch ms. */
  at: number
  direction: 'sent' | 'received'
  transport: 'udp' | 'tcp' | 'tls'
  /** The other side, e.g. `192.0.2.1:5060`. */
  remote: string
  /** The whole message; what proves a password or opens the audio is hidden. */
  text: string
}

export interface CallTrace {
  /** In order of time. */
  messages: TraceMessage[]
  /** Messages beyond the bounds of a trace. */
  leftOut: number
}

/** `INVITE sip:+12025550163@trunk.example SIP/2.0`, `SIP/2.0 486 Busy Here`. */
export function firstLineOf({ text }: Pick<TraceMessage, 'text'>): string {
  return text.slice(0, text.search(/\r?\n|$/))
}
