// A telephone at the far end of a real socket, for tests of what stands above the user agent: it does what the last two
// digits say, as the simulated carrier does. The proofs against peers that we did not write are in sipp*.test.ts.
import { createSocket, type Socket } from 'node:dgram'
import { once } from 'node:events'
import { HeaderList } from '../../src/carrier/sip/header-list.ts'
import {
  request,
  responseTo,
  type SipMessage,
  type SipRequest,
  sdpOf,
  tagOf,
  writeMessage,
} from '../../src/carrier/sip/message.ts'
import { parseMessage } from '../../src/carrier/sip/parse-message.ts'
import { writeOffer } from '../../src/carrier/sip/sdp.ts'
import { parseSipUri } from '../../src/carrier/sip/sip-uri.ts'

const answer = writeOffer({
  address: '127.0.0.1',
  port: 40_000,
  sessionId: '9',
  version: 1,
  codecs: ['PCMU'],
  srtpKey: null,
  direction: 'sendrecv',
})

export interface FarSide {
  port: number
  /** Requests as they came, without repetitions: `INVITE +1…63`. */
  seen: string[]
  /** The far end hangs up the call. */
  hangUp(callId: string): void
  /** Resolves when a request of that method has come for the call. */
  saw(method: string, callId: string): Promise<SipRequest>
  close(): Promise<void>
}

interface Held {
  invite: SipRequest
  port: number
}

export async function openFarSide(): Promise<FarSide> {
  const socket = createSocket('udp4')
  const bound = once(socket, 'listening')
  socket.bind(0, '127.0.0.1')
  await bound
  const phone = new Phone(socket)
  return {
    port: socket.address().port,
    seen: phone.seen,
    hangUp: callId => phone.hangUp(callId),
    saw: (method, callId) => phone.saw(method, callId),
    close: () => new Promise(resolve => socket.close(() => resolve())),
  }
}

class Phone {
  readonly #socket: Socket
  readonly seen: string[] = []
  readonly #keys = new Set<string>()
  readonly #held = new Map<string, Held>()
  readonly #requests: SipRequest[] = []
  #watchers: (() => void)[] = []

  constructor(socket: Socket) {
    this.#socket = socket
    socket.on('message', (bytes, { port }) => {
      const parsed = parseMessage(bytes)
      if ('message' in parsed && parsed.message.kind === 'request') this.#take(parsed.message, port)
    })
  }

  async saw(method: string, callId: string): Promise<SipRequest> {
    for (;;) {
      const found = this.#requests.find(one => one.method === method && one.headers.get('call-id') === callId)
      if (found !== undefined) return found
      await new Promise<void>(resolve => this.#watchers.push(resolve))
    }
  }

  hangUp(callId: string): void {
    const held = this.#held.get(callId)
    if (held === undefined) return
    const { invite, port } = held
    const headers = new HeaderList()
      .add('via', `SIP/2.0/UDP 127.0.0.1:${this.#socket.address().port};branch=z9hG4bKbye${callId}`)
      .add('from', `${invite.headers.get('to')};tag=far`)
      .add('to', invite.headers.get('from') ?? '')
      .add('call-id', callId)
      .add('cseq', '1 BYE')
    this.#send(request('BYE', 'sip:outdial@127.0.0.1', headers), port)
  }

  #take(received: SipRequest, port: number): void {
    const callId = received.headers.get('call-id') ?? ''
    const key = `${received.headers.get('via')} ${received.method}`
    if (this.#keys.has(key)) return
    this.#keys.add(key)
    const number = parseSipUri(received.uri)?.user ?? ''
    this.seen.push(`${received.method} ${number}`)
    this.#requests.push(received)
    if (received.method === 'INVITE') this.#ring(received, number, port)
    else if (received.method === 'CANCEL') this.#cancelled(received, callId, port)
    else if (received.method !== 'ACK') this.#send(responseTo(received, 200, 'far'), port)
    for (const watcher of this.#watchers.splice(0)) watcher()
  }

  #ring(invite: SipRequest, number: string, port: number): void {
    const callId = invite.headers.get('call-id') ?? ''
    const isReinvite = tagOf(invite.headers.get('to') ?? '') !== null
    const ending = number.slice(-2)
    if (ending === '84') return
    this.#held.set(callId, { invite, port })
    if (ending === '92') return void this.#send(responseTo(invite, 486, 'far'), port)
    if (!isReinvite) this.#send(responseTo(invite, 180, 'far'), port)
    if (ending === '82') return
    const ok = responseTo(invite, 200, 'far')
    ok.headers.add('contact', `<sip:far@127.0.0.1:${this.#socket.address().port}>`)
    ok.headers.add('content-type', 'application/sdp')
    ok.body = sdpOf(invite) === '' ? '' : answer
    this.#send(ok, port)
    // 90 talks and hangs up by itself; 91 waits to be hung up.
    if (ending === '90') setImmediate(() => this.hangUp(callId))
  }

  #cancelled(cancel: SipRequest, callId: string, port: number): void {
    this.#send(responseTo(cancel, 200, 'far'), port)
    const held = this.#held.get(callId)
    if (held !== undefined) this.#send(responseTo(held.invite, 487, 'far'), port)
  }

  #send(message: SipMessage, port: number): void {
    this.#socket.send(writeMessage(message), port, '127.0.0.1')
  }
}
