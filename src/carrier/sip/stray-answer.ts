// A 200 for a call that we no longer hold (a fork's second branch, a call of an earlier life): ACKed and BYEd, so that
// nobody sits on a silent line that is paid for (RFC 3261 §13.2.2.4).
import { type CallContext, hopOf, newVia } from './call-context.ts'
import { type Dialog, requestWithin } from './dialog.ts'
import { HeaderList } from './header-list.ts'
import { cseqOf, request, type SipRequest, type SipResponse, writeMessage } from './message.ts'
import type { Hop } from './transport.ts'

/** The dialog that such a 200 makes, read from itself alone: the INVITE is forgotten. */
export function inviteOfStray(response: SipResponse): SipRequest {
  const headers = new HeaderList()
  for (const name of ['from', 'to', 'call-id', 'cseq']) headers.add(name, response.headers.get(name) ?? '')
  return request('INVITE', 'sip:invalid.invalid', headers)
}

/** Sends ACK and BYE; nobody waits for the end. `dialog.localCSeq` is the INVITE's. */
export async function hangUpStray(context: CallContext, dialog: Dialog, from: Hop): Promise<void> {
  const hop = await hopOf(context, dialog, from)
  const ack = requestWithin(dialog, 'ACK', dialog.localCSeq)
  ack.headers.addFirst('via', newVia(context, hop))
  context.send(writeMessage(ack), hop, null)
  const bye = requestWithin(dialog, 'BYE', dialog.localCSeq + 1)
  bye.headers.addFirst('via', newVia(context, hop))
  const ignore = () => {}
  context.clients.open(bye, hop, { response: ignore, timedOut: ignore, failed: ignore })
}

/** Is this a 2xx to an INVITE? Everything else that nobody waits for is dropped. */
export function isAnswerToInvite(response: SipResponse): boolean {
  return response.status >= 200 && response.status < 300 && cseqOf(response)?.method === 'INVITE'
}
