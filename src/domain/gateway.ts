// What is known of a trunk's gateways without a call: what their names lead to, what they answer, which of them refuse.

/** One address behind a gateway that was asked whether it is there (SIP OPTIONS). */
export interface GatewayAnswer {
  /** e.g. `192.0.2.1:5060`. */
  remote: string
  /** SIP status; null: it did not answer. */
  status: number | null
  roundTripMs: number
  /** Why it did not answer: `ECONNREFUSED`, `no answer within 5 s` …; null: it did. */
  failure: string | null
}

export interface GatewayProbe {
  /** As the trunk names it, e.g. `tls:sip.example.com`. */
  gateway: string
  /** In the order in which they are tried; empty: the name leads nowhere. */
  addresses: string[]
  lookupMs: number
  /** `ENOTFOUND` …; null: it leads somewhere. */
  lookupFailure: string | null
  /** Empty where nobody was to be asked. */
  answers: GatewayAnswer[]
}

/** As calls and OPTIONS have shown it; gateways that were not used yet are not known. */
export interface GatewayStanding {
  /** The host that the trunk names. */
  host: string
  transport: 'udp' | 'tcp' | 'tls'
  remote: string
  /** Calls go past it until then, epoch ms; null: it is up. */
  downUntil: number | null
  /** `ECONNREFUSED`, `503` …; null while it is up. */
  reason: string | null
  /** When that was learnt, epoch ms. */
  since: number
}
