// A dialog (RFC 3261 §12): what both sides remember of a call, and where the next request within it goes.
import { HeaderList } from './header-list.ts'
import { cseqOf, request, type SipMessage, type SipRequest, type SipResponse, tagOf } from './message.ts'
import { parseNameAddr } from './name-addr.ts'
import { parseSipUri } from './sip-uri.ts'

/** Plain data: it is kept on disk, so that a later life of this process can still hang up. */
export interface Dialog {
  callId: string
  /** Our From value, tag included. */
  local: string
  /** Their To value, tag included. */
  remote: string
  localTag: string
  remoteTag: string
  /** Route values in the order of our requests. */
  routeSet: readonly string[]
  /** Where requests are addressed to: the Contact of the last target refresh. */
  remoteTarget: string
  /** The last CSeq that we used. */
  localCSeq: number
  /** The last CSeq that they used; null: none yet. */
  remoteCSeq: number | null
}

/** §12.1.2: the dialog that a response makes. A server of RFC 2543 gives no To tag: it is '' then. */
export function dialogFrom(invite: SipRequest, response: SipResponse): Dialog {
  const local = invite.headers.get('from') ?? ''
  const remote = response.headers.get('to') ?? ''
  return {
    callId: invite.headers.get('call-id') ?? '',
    local,
    remote,
    localTag: tagOf(local) ?? '',
    remoteTag: tagOf(remote) ?? '',
    routeSet: response.headers.list('record-route').reverse(),
    remoteTarget: contactOf(response) ?? invite.uri,
    localCSeq: cseqOf(invite)?.number ?? 1,
    remoteCSeq: null,
  }
}

/** §12.1.1: the dialog that our answer to their INVITE makes, under the tag that we give it. */
export function dialogOfInvite(invite: SipRequest, localTag: string): Dialog {
  const remote = invite.headers.get('from') ?? ''
  return {
    callId: invite.headers.get('call-id') ?? '',
    local: `${invite.headers.get('to') ?? ''};tag=${localTag}`,
    remote,
    localTag,
    remoteTag: tagOf(remote) ?? '',
    routeSet: invite.headers.list('record-route'),
    remoteTarget: contactOf(invite) ?? invite.uri,
    localCSeq: 0,
    remoteCSeq: cseqOf(invite)?.number ?? null,
  }
}

/** §12.2.1.1: a request within the dialog, without Via and Contact. Counts CSeq up, except for ACK. */
export function requestWithin(dialog: Dialog, method: string, cseq: number): SipRequest {
  const { uri, routes } = routing(dialog)
  const headers = new HeaderList()
  headers.add('max-forwards', '70')
  headers.addAll('route', routes)
  headers.add('from', dialog.local)
  headers.add('to', dialog.remote)
  headers.add('call-id', dialog.callId)
  headers.add('cseq', `${cseq} ${method}`)
  return request(method, uri, headers)
}

/** Request-URI and Route headers; a strict router (RFC 2543) wants itself in the Request-URI and the target last. */
function routing({ routeSet, remoteTarget }: Dialog): { uri: string; routes: readonly string[] } {
  const first = routeSet[0]
  if (first === undefined) return { uri: remoteTarget, routes: [] }
  const firstUri = parseNameAddr(first)?.uri ?? ''
  if (parseSipUri(firstUri)?.params.has('lr') ?? true) return { uri: remoteTarget, routes: routeSet }
  return { uri: firstUri, routes: [...routeSet.slice(1), `<${remoteTarget}>`] }
}

/** The URI of the element that a request goes to next (§8.1.2). */
export function nextHopUri({ routeSet, remoteTarget }: Dialog): string {
  const first = routeSet[0]
  return (first === undefined ? null : parseNameAddr(first)?.uri) ?? remoteTarget
}

/** §12.2.1.2, §12.2.2: INVITE and UPDATE, asked or answered, may move the other side. */
export function withTargetOf(dialog: Dialog, message: SipMessage): Dialog {
  const remoteTarget = contactOf(message)
  return remoteTarget === null || remoteTarget === dialog.remoteTarget ? dialog : { ...dialog, remoteTarget }
}

/** §12.2.2: null when the request is older than one that was seen: it is answered 500. */
export function withRemoteCSeq(dialog: Dialog, cseq: number): Dialog | null {
  if (dialog.remoteCSeq !== null && cseq < dialog.remoteCSeq) return null
  return { ...dialog, remoteCSeq: cseq }
}

function contactOf(message: SipMessage): string | null {
  const contact = message.headers.list('contact')[0]
  const uri = contact === undefined ? null : (parseNameAddr(contact)?.uri ?? null)
  return uri !== null && parseSipUri(uri) !== null ? uri : null
}
