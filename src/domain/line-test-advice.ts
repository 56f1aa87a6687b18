// What to do about a trunk that does not work: from what a test has shown to the setting or the question that helps.
import { firstLineOf } from './call-trace.ts'
import type { GatewayProbe } from './gateway.ts'
import { type LadderStep, ladderOf } from './ladder.ts'
import type { TestCall } from './line-test.ts'
import { hasCredentials, isInvite } from './line-test-stages.ts'

/** Failures of the way there, by the words that the system has for them. */
const byFailure: readonly { words: RegExp; advice: string }[] = [
  {
    words: /ENOTFOUND|ENODATA|EAI_AGAIN|leads nowhere/,
    advice:
      'DNS does not know the gateway: check how its name is spelled, and that this machine reaches a name server.',
  },
  {
    words: /ECONNREFUSED/,
    advice:
      'Nothing listens there: check the port and the transport (`udp:`, `tcp:`, `tls:`) that the carrier names, and firewalls between.',
  },
  {
    words: /ETIMEDOUT|EHOSTUNREACH|ENETUNREACH|EADDRNOTAVAIL/,
    advice: 'No way leads there from this machine: check its network, its routes and its firewall.',
  },
  {
    words: /CERT|SELF_SIGNED|ALTNAME|UNABLE_TO/,
    advice:
      'Its certificate is not trusted: use the name that stands in it, name the carrier’s authority in OUTDIAL_SIP_TLS_CA, or, if nobody signed it, set `tlsVerify` to false.',
  },
  {
    words: /not placed/,
    advice:
      'This server could not place it: its log says which port, worker or setting was missing (OUTDIAL_SIP_PORT, OUTDIAL_RTP_PORTS).',
  },
]

const wrongPassword =
  'Check `username` and `password`. Some carriers want the account’s own `domain`, or a number as the username.'
const noPassword =
  'The carrier wants a `username` and a `password`; if it should know us by our address, have it allow that address.'
const callerIdRefused = (callerId: string) =>
  `The carrier knows us and refuses this call. Most often the caller ID ${callerId} is not one of the account’s; else the destination is not allowed, or the account has no credit.`
const numberUnknown = (target: string) =>
  `The carrier cannot route ${target}: check how it wants numbers written (\`number.plus\`, \`number.prefix\`, \`number.strip\`).`
const codecRefused =
  'The carrier takes none of the codecs offered: try the other order in `codecs`, and set `srtp` as the carrier has it.'
const throttled =
  'The carrier says that it is too much: set the trunk’s `callsPerSecond` and `maxConcurrentCalls` to what the account has.'
const carrierBroken =
  'The carrier failed by its own words: ask it, with the Call-ID and the time of this call.'
const callerIdFlagged =
  'The caller ID is marked as unwanted: call from another number, and have this one cleared.'
const silent =
  'Nobody answers: the carrier may not allow our address, or a firewall drops what we send or what comes back. Check the address, the port, and the transport; some carriers take TCP or TLS only.'
const silentAfterTrying =
  'The carrier took the call and said no more: ask it what became of the call, with its Call-ID and its time.'

const byStatus: ReadonlyMap<number, string> = new Map([
  [415, codecRefused],
  [429, throttled],
  [488, codecRefused],
  [606, codecRefused],
  [607, 'The number refuses calls like this one: it has been put on the suppression list.'],
  [608, callerIdFlagged],
])
const unknownNumberStatuses: ReadonlySet<number> = new Set([404, 410, 484, 485, 604])
/** As in domain/outcome.ts: the words by which carriers say "slow down". */
const throttleCause = /\b(cps|channels?|rate|capacity|too many|D1)\b/i

/** Each sentence once; empty where nothing is to be done. */
export function adviceOnGateways(probes: readonly GatewayProbe[]): string[] {
  const failures = probes.flatMap(({ lookupFailure, answers }) => [
    lookupFailure,
    ...answers.map(({ failure }) => failure),
  ])
  const found = failures.flatMap(failure => {
    if (failure === null) return []
    return failure.startsWith('no answer') ? [silent] : onFailure(failure)
  })
  return [...new Set(found)]
}

export function adviceOnCall(call: TestCall): string[] {
  const { attempt, conversation } = call
  const steps = ladderOf(call.trace)
  if (attempt.answeredAt === null) return onRefusal(call, steps)
  if (attempt.outcome?.disposition === 'agent-failure')
    return ['The line works; the agent did not: try the test without --agent, then look at its `connection`.']
  return conversation?.line.packetsReceived === 0 ? onSilence(steps) : []
}

function onRefusal({ attempt }: TestCall, steps: readonly LadderStep[]): string[] {
  const { sipStatus = null, cause = '' } = attempt.outcome ?? {}
  if (sipStatus === 401 || sipStatus === 407)
    return [steps.some(step => isInvite(step) && hasCredentials(step)) ? wrongPassword : noPassword]
  if (sipStatus !== null) return onStatus(sipStatus, cause, attempt.callerId, steps)
  const known = onFailure(cause)
  if (known.length > 0 || attempt.outcome?.disposition === 'busy') return known
  const heard = steps.filter(({ direction }) => direction === 'received')
  if (heard.length === 0) return [silent]
  return heard.every(({ status }) => status === 100) ? [silentAfterTrying] : []
}

function onStatus(status: number, cause: string, callerId: string, steps: readonly LadderStep[]): string[] {
  if ([403, 480, 503].includes(status) && throttleCause.test(cause)) return [throttled]
  if (status === 403) return [callerIdRefused(callerId)]
  if (unknownNumberStatuses.has(status)) {
    const invite = steps.find(isInvite)
    return [numberUnknown(invite === undefined ? 'the number' : (firstLineOf(invite).split(' ')[1] ?? 'it'))]
  }
  const known = byStatus.get(status)
  if (known !== undefined) return [known]
  return status >= 500 && status < 600 ? [carrierBroken] : []
}

/** The call was answered and nothing was heard: the classic of NAT. */
function onSilence(steps: readonly LadderStep[]): string[] {
  const invite = steps.find(isInvite)
  const ours = /^c=IN IP[46] (\S+)/m.exec(invite?.text ?? '')?.[1]
  const theirs = invite?.remote.replace(/:\d+$/, '')
  if (ours === undefined || theirs === undefined) return [openPorts('this machine')]
  if (isPrivate(ours) && !isPrivate(theirs))
    return [
      `We told the carrier to send sound to ${ours}, an address that it cannot reach: set the trunk’s \`publicAddress\` (or OUTDIAL_PUBLIC_ADDRESS) to the address it sees.`,
      openPorts('that address'),
    ]
  return [openPorts(ours)]
}

function openPorts(where: string): string {
  return `Sound did not come in at ${where}: let UDP through on the ports of OUTDIAL_RTP_PORTS, and check that this is our address as the carrier sees it.`
}

function onFailure(failure: string): string[] {
  const known = byFailure.find(({ words }) => words.test(failure))
  return known === undefined ? [] : [known.advice]
}

/** RFC 1918, RFC 6598, loopback, link-local; RFC 4193 and ::1. */
function isPrivate(address: string): boolean {
  return /^(10\.|127\.|192\.168\.|169\.254\.|172\.(1[6-9]|2\d|3[01])\.|100\.(6[4-9]|[7-9]\d|1[01]\d|12[0-7])\.|\[?(f[cd]|fe80|::1))/i.test(
    address,
  )
}
