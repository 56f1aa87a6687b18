// What a SIP trunk can be told (trunk.settings): where it is, who we are to it, how it writes numbers, what it carries.
import { isIP } from 'node:net'
import { z } from 'zod'
import type { Credentials } from './digest.ts'
import type { Gateway } from './resolver.ts'
import { preferredSessionSeconds } from './session-timer.ts'
import { parseSipUri } from './sip-uri.ts'

export interface SipTrunkSettings {
  /** In the order in which they are tried. */
  gateways: readonly Gateway[]
  /** Host of Request-URI, From and To: carriers find the account by it. */
  domain: string
  /** null: the carrier knows us by our address. */
  credentials: Credentials | null
  /** Our address as this carrier sees it; null: the server's. */
  publicAddress: string | null
  number: NumberFormat
  displayName: string
  /** Further headers of the INVITE. */
  headers: readonly (readonly [name: string, value: string])[]
  /** The caller ID also as P-Asserted-Identity (RFC 3325). */
  assertIdentity: boolean
  codecs: readonly ('PCMU' | 'PCMA')[]
  srtp: boolean
  /** false: TLS gateways may show any certificate. */
  tlsVerify: boolean
  /** RFC 4028, s; null: no session timer is asked for. */
  sessionSeconds: number | null
  rtpTimeoutMs: number
  /** How often the gateways are asked whether they are there, s; 0: never. */
  optionsSeconds: number
  /** The messages of its calls are kept for a while. */
  trace: boolean
}

/** How the carrier wants E.164 numbers written. */
export interface NumberFormat {
  plus: boolean
  /** Put before the digits, after the plus was taken. */
  prefix: string
  /** Taken from the front of the digits where they begin so, e.g. the own country's code. */
  strip: string
}

const digits = z.string().regex(/^[0-9*#]{0,15}$/, 'must be up to 15 of 0-9 * #')
const hostName = z
  .string()
  .regex(/^[A-Za-z0-9.-]{1,253}$|^[0-9A-Fa-f:.]{2,45}$/, 'must be a host name or an IP address')
const headerName = z
  .string()
  .regex(/^[A-Za-z0-9-]{1,64}$/, 'must be letters, digits and hyphens')
  .refine(name => !ownHeaders.has(name.toLowerCase()), 'must not be a header that we write ourselves')
const headerValue = z.string().regex(/^[^\r\n\0]{0,512}$/, 'must be one line of up to 512 characters')

/** Whoever set these would break the call. */
const ownHeaders: ReadonlySet<string> = new Set(
  'via from to call-id cseq contact content-length content-type max-forwards route record-route authorization proxy-authorization session-expires min-se'.split(
    ' ',
  ),
)

const schema = z.object({
  address: z.string().optional(),
  gateways: z.array(z.string()).max(10, 'must be at most 10').optional(),
  domain: hostName.optional(),
  username: z.string().max(256).nullable().default(null),
  password: z.string().max(256).nullable().default(null),
  publicAddress: hostName
    .refine(text => isIP(text) !== 0, 'must be an IP address')
    .nullable()
    .default(null),
  number: z
    .object({ plus: z.boolean().default(true), prefix: digits.default(''), strip: digits.default('') })
    .default({
      plus: true,
      prefix: '',
      strip: '',
    }),
  displayName: headerValue.default(''),
  headers: z.record(headerName, headerValue).default({}),
  assertIdentity: z.boolean().default(false),
  codecs: z
    .array(z.enum(['PCMU', 'PCMA']))
    .min(1)
    .max(2)
    .default(['PCMU', 'PCMA']),
  srtp: z.boolean().default(false),
  tlsVerify: z.boolean().default(true),
  sessionSeconds: z.int().min(90).max(86_400).nullable().default(preferredSessionSeconds),
  rtpTimeoutSeconds: z.number().min(1).max(3_600).default(30),
  optionsSeconds: z.int().min(0).max(3_600).default(60),
  trace: z.boolean().default(false),
})

/** One sentence that names the setting. */
export type ReadTrunk = { settings: SipTrunkSettings } | { error: string }

/** Reads `trunk.settings`; names that are not known are passed over, other settings of the trunk stand beside them. */
export function readTrunkSettings(raw: Readonly<Record<string, unknown>>): ReadTrunk {
  const read = schema.safeParse(raw)
  if (!read.success) return { error: sentenceOf(read.error) }
  const { address, gateways: listed, username, password, ...rest } = read.data
  const written = listed ?? (address === undefined ? [] : [address])
  const gateways = written.map(parseGateway)
  const wrong = written.find((_, at) => gateways[at] === null)
  if (wrong !== undefined)
    return { error: 'gateways must be like sip.example.com, 192.0.2.1:5060 or tls:sip.example.com' }
  const first = gateways[0]
  if (first === undefined || first === null)
    return { error: 'address must name the trunk, e.g. sip.example.com' }
  if ((username === null) !== (password === null))
    return { error: 'username and password must be set together' }
  const { rtpTimeoutSeconds, headers, domain, ...same } = rest
  return {
    settings: {
      ...same,
      gateways: gateways
        .filter(gateway => gateway !== null)
        .map(gateway => (same.tlsVerify ? gateway : { ...gateway, verify: false })),
      domain: domain ?? first.host,
      credentials: username === null || password === null ? null : { username, password },
      headers: Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value] as const),
      rtpTimeoutMs: rtpTimeoutSeconds * 1_000,
    },
  }
}

/** `sip.example.com`, `tcp:host:5070`, `sips:host`, `sip:host;transport=tcp`, `[2001:db8::1]:5060`; null: none of these. */
export function parseGateway(text: string): Gateway | null {
  const [, named, rest = ''] = /^(?:(udp|tcp|tls):)?(.*)$/i.exec(text.trim()) ?? []
  const uri = parseSipUri(/^sips?:/i.test(rest) ? rest : `sip:${bracketedIpv6(rest)}`)
  if (uri === null || uri.user !== null) return null
  const transport = (
    named ??
    uri.params.get('transport') ??
    (uri.scheme === 'sips' ? 'tls' : 'udp')
  ).toLowerCase()
  if (transport !== 'udp' && transport !== 'tcp' && transport !== 'tls') return null
  return { host: uri.host, port: uri.port, protocol: transport }
}

function bracketedIpv6(text: string): string {
  return isIP(text) === 6 ? `[${text}]` : text
}

/** `+12025550163` as this carrier writes it. */
export function formatNumber(e164: string, { plus, prefix, strip }: NumberFormat): string {
  const all = e164.replace(/^\+/, '')
  const national = strip !== '' && all.startsWith(strip) ? all.slice(strip.length) : all
  return `${plus ? '+' : ''}${prefix}${national}`
}

function sentenceOf(error: z.ZodError): string {
  const issue = error.issues[0]!
  const path = issue.path.join('.')
  return `${path} ${issue.message.startsWith('must ') ? issue.message : `is not right: ${issue.message}`}`
}
