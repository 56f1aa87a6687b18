// Digest authentication (RFC 3261 §22, RFC 8760, RFC 7616): a challenge read, and the answer to it.
import { createHash } from 'node:crypto'
import type { SipResponse } from './message.ts'
import { unquote } from './sip-uri.ts'

export interface Credentials {
  username: string
  password: string
}

export type DigestAlgorithm = 'MD5' | 'SHA-256'

export interface Challenge {
  /** 401 asks for `authorization`, 407 for `proxy-authorization`. */
  answerIn: 'authorization' | 'proxy-authorization'
  realm: string
  nonce: string
  opaque: string | null
  algorithm: DigestAlgorithm
  /** Session variants hash nonce and cnonce into the secret. */
  isSession: boolean
  /** null: the server knows no qop (RFC 2069). */
  qop: 'auth' | null
  /** The credentials were right, the nonce had run out. */
  stale: boolean
}

/** §22.1 sets no limit; whoever asks more often will never be content. */
export const maxAuthRounds = 5

/**
 * Challenges of a 401 or 407 that we can answer, SHA-256 before MD5 where a realm offers both (RFC 8760 §2.4: the server
 * lists them in its order, and both are as good as its list).
 */
export function challengesOf(response: SipResponse): Challenge[] {
  const found = [
    ...response.headers.lines('www-authenticate').map(line => parseChallenge(line, 'authorization')),
    ...response.headers.lines('proxy-authenticate').map(line => parseChallenge(line, 'proxy-authorization')),
  ].filter(challenge => challenge !== null)
  const byRealm = new Map<string, Challenge>()
  for (const challenge of found) {
    const key = `${challenge.answerIn} ${challenge.realm}`
    const known = byRealm.get(key)
    if (known === undefined || (known.algorithm === 'MD5' && challenge.algorithm === 'SHA-256'))
      byRealm.set(key, challenge)
  }
  return [...byRealm.values()]
}

const schemePattern = /^\s*Digest\s+/i
const paramPattern = /([A-Za-z0-9_-]+)\s*=\s*("(?:\\.|[^"\\])*"|[^\s,]+)/g

/** null: another scheme, or an algorithm or qop that we do not have. */
export function parseChallenge(line: string, answerIn: Challenge['answerIn']): Challenge | null {
  if (!schemePattern.test(line)) return null
  const params = new Map<string, string>()
  for (const [, name = '', value = ''] of line.replace(schemePattern, '').matchAll(paramPattern))
    params.set(name.toLowerCase(), unquote(value))
  const nonce = params.get('nonce')
  const algorithm = algorithmOf(params.get('algorithm') ?? 'MD5')
  const qops = params
    .get('qop')
    ?.split(',')
    .map(one => one.trim().toLowerCase())
  if (nonce === undefined || algorithm === null) return null
  if (qops !== undefined && !qops.includes('auth')) return null
  return {
    answerIn,
    realm: params.get('realm') ?? '',
    nonce,
    opaque: params.get('opaque') ?? null,
    ...algorithm,
    qop: qops === undefined ? null : 'auth',
    stale: params.get('stale')?.toLowerCase() === 'true',
  }
}

function algorithmOf(name: string): Pick<Challenge, 'algorithm' | 'isSession'> | null {
  const upper = name.toUpperCase()
  const isSession = upper.endsWith('-SESS')
  const algorithm = isSession ? upper.slice(0, -'-SESS'.length) : upper
  return algorithm === 'MD5' || algorithm === 'SHA-256' ? { algorithm, isSession } : null
}

export interface DigestRequest {
  method: string
  uri: string
  credentials: Credentials
  /** How often this nonce was used, this time included. */
  nonceCount: number
  cnonce: string
}

/** The value of Authorization or Proxy-Authorization (RFC 7616 §3.4). */
export function answerChallenge(challenge: Challenge, wanted: DigestRequest): string {
  const { realm, nonce, opaque, qop } = challenge
  const nc = wanted.nonceCount.toString(16).padStart(8, '0')
  const parts = [
    `Digest username=${quote(wanted.credentials.username)}`,
    `realm=${quote(realm)}`,
    `nonce=${quote(nonce)}`,
    `uri=${quote(wanted.uri)}`,
    `response="${digestResponse(challenge, wanted, nc)}"`,
    `algorithm=${challenge.algorithm}${challenge.isSession ? '-sess' : ''}`,
  ]
  if (qop !== null) parts.push(`qop=${qop}`, `nc=${nc}`)
  if (qop !== null || challenge.isSession) parts.push(`cnonce=${quote(wanted.cnonce)}`)
  if (opaque !== null) parts.push(`opaque=${quote(opaque)}`)
  return parts.join(', ')
}

function digestResponse(challenge: Challenge, wanted: DigestRequest, nc: string): string {
  const { nonce, realm, qop, isSession } = challenge
  const { username, password } = wanted.credentials
  const hash = (text: string) =>
    createHash(challenge.algorithm === 'MD5' ? 'md5' : 'sha256')
      .update(text)
      .digest('hex')
  const secret = hash(`${username}:${realm}:${password}`)
  const a1 = isSession ? hash(`${secret}:${nonce}:${wanted.cnonce}`) : secret
  const a2 = hash(`${wanted.method}:${wanted.uri}`)
  return hash(qop === null ? `${a1}:${nonce}:${a2}` : `${a1}:${nonce}:${nc}:${wanted.cnonce}:${qop}:${a2}`)
}

function quote(text: string): string {
  return `"${text.replace(/["\\]/g, '\\$&')}"`
}

/** Answers to the challenges of one call: which nonce was used how often, and when to stop trying. */
export class DigestSession {
  readonly #credentials: Credentials | null
  readonly #newCnonce: () => string
  readonly #known = new Map<string, { challenge: Challenge; nonceCount: number }>()
  #rounds = 0

  constructor(credentials: Credentials | null, newCnonce: () => string) {
    this.#credentials = credentials
    this.#newCnonce = newCnonce
  }

  /**
   * Takes the challenges of a 401 or 407. False: no use in asking again (no credentials, none that we can answer, the
   * same realm refused them before and does not call the nonce stale, or five rounds are over).
   */
  accept(response: SipResponse): boolean {
    if (this.#credentials === null || ++this.#rounds > maxAuthRounds) return false
    const challenges = challengesOf(response)
    for (const challenge of challenges) {
      const key = `${challenge.answerIn} ${challenge.realm}`
      if (this.#known.has(key) && !challenge.stale) return false
      this.#known.set(key, { challenge, nonceCount: 0 })
    }
    return challenges.length > 0
  }

  /** Header names and values for a request: an answer to every realm known so far. */
  headersFor(method: string, uri: string): [name: string, value: string][] {
    const { username, password } = this.#credentials ?? { username: '', password: '' }
    return [...this.#known.values()].map(known => [
      known.challenge.answerIn,
      answerChallenge(known.challenge, {
        method,
        uri,
        credentials: { username, password },
        nonceCount: ++known.nonceCount,
        cnonce: this.#newCnonce(),
      }),
    ])
  }
}
