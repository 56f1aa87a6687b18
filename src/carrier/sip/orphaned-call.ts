// A call that an earlier life of this process left at the carrier: CANCELled or BYEd from what was kept on disk.
import type { CallSnapshot } from './call.ts'
import { type CallContext, hopOf, newVia } from './call-context.ts'
import { cancellation } from './client-transactions.ts'
import { type Dialog, dialogFrom, requestWithin } from './dialog.ts'
import { type Credentials, DigestSession } from './digest.ts'
import { HeaderList } from './header-list.ts'
import { request, type SipRequest, type SipResponse, writeMessage } from './message.ts'
import type { Hop } from './transport.ts'

/** What the carrier said of it; `unknown`: nothing, or nothing that proves anything. */
export type Hangover = 'unanswered' | 'answered' | 'unknown'

export function hangUpOrphan(
  context: CallContext,
  { invite, hop, dialog, callId }: CallSnapshot,
  credentials: Credentials | null,
): Promise<Hangover> {
  if (dialog !== null) return byeOrphan(context, dialog, hop, credentials)
  return cancelOrphan(context, rebuildInvite(invite, callId), hop, credentials)
}

function rebuildInvite(kept: CallSnapshot['invite'], callId: string): SipRequest {
  const headers = new HeaderList()
    .add('via', kept.via)
    .addAll('route', kept.routes)
    .add('from', kept.from)
    .add('to', kept.to)
    .add('call-id', callId)
    .add('cseq', `${kept.cseq} INVITE`)
  return request('INVITE', kept.uri, headers)
}

/**
 * The INVITE's transaction is taken up as if a provisional had come: nothing is dialled again. A carrier that does not
 * know the CANCEL (481) may have ended the call before, so that proves nothing.
 */
function cancelOrphan(
  context: CallContext,
  invite: SipRequest,
  hop: Hop,
  credentials: Credentials | null,
): Promise<Hangover> {
  return new Promise(resolve => {
    const finish = (answer: Hangover) => {
      inviting.drop()
      resolve(answer)
    }
    const inviting = context.clients.adopt(invite, hop, {
      response(response) {
        if (response.status < 200) return
        if (response.status >= 300) return finish('unanswered')
        inviting.drop()
        void answerOrphan(context, invite, response, hop, credentials).then(resolve)
      },
      timedOut: () => finish('unknown'),
      failed: () => finish('unknown'),
    })
    context.clients.open(cancellation(invite), hop, {
      response: ({ status }) => {
        if (status >= 300) finish('unknown')
      },
      timedOut: () => finish('unknown'),
      failed: () => finish('unknown'),
    })
  })
}

async function answerOrphan(
  context: CallContext,
  invite: SipRequest,
  response: SipResponse,
  current: Hop,
  credentials: Credentials | null,
): Promise<Hangover> {
  const dialog = dialogFrom(invite, response)
  const hop = await hopOf(context, dialog, current)
  const ack = requestWithin(dialog, 'ACK', dialog.localCSeq)
  ack.headers.addFirst('via', newVia(context, hop))
  context.send(writeMessage(ack), hop, null)
  return byeOrphan(context, dialog, current, credentials)
}

async function byeOrphan(
  context: CallContext,
  dialog: Dialog,
  current: Hop,
  credentials: Credentials | null,
  digest = new DigestSession(credentials, context.newToken),
): Promise<Hangover> {
  const hop = await hopOf(context, dialog, current)
  const cseq = dialog.localCSeq + 1
  const bye = requestWithin(dialog, 'BYE', cseq)
  bye.headers.addFirst('via', newVia(context, hop))
  for (const [name, value] of digest.headersFor('BYE', bye.uri)) bye.headers.add(name, value)
  const final = await new Promise<SipResponse | null>(resolve => {
    context.clients.open(bye, hop, {
      response: response => {
        if (response.status >= 200) resolve(response)
      },
      timedOut: () => resolve(null),
      failed: () => resolve(null),
    })
  })
  const isChallenge = final?.status === 401 || final?.status === 407
  if (final !== null && isChallenge && digest.accept(final))
    return byeOrphan(context, { ...dialog, localCSeq: cseq }, current, credentials, digest)
  return 'answered'
}
