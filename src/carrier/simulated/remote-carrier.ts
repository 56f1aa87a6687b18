// The adapter to a carrier in a process of its own: one connection, mended when it breaks; no call is dialled twice.
import { connect } from 'node:net'
import type { Clock, Timer } from '../../runtime/clock.ts'
import type { Call, CallObserver, CallRequest, Carrier, RescueAnswer } from '../carrier.ts'
import { type CallEvent, type FromCarrier, LineSocket, type ToCarrier } from './carrier-messages.ts'
import { refusalEvidence, refuseCall } from './refusal.ts'
import type { Seen } from './traffic-meter.ts'

/** Waits before the connection is tried again while calls hang on it, ms: doubled from the first to the last. */
const minReconnectMs = 20
const maxReconnectMs = 1_000

interface LiveCall {
  observer: CallObserver
  /** The dial was handed to a connection: from then on only the carrier can say what became of it. */
  wasSent: boolean
  hungUp: boolean
  /** How much was heard: after a mended connection the carrier says it again. */
  heard: 'nothing' | 'ringing' | 'answered'
}

type Connection = LineSocket<ToCarrier, FromCarrier>
type Answer = RescueAnswer[] | Seen | null

export class RemoteCarrier implements Carrier {
  readonly #port: number
  readonly #clock: Clock
  readonly #live = new Map<string, LiveCall>()
  readonly #questions = new Map<number, (answer: Answer) => void>()
  #lastQuestion = 0
  #connection: Connection | null = null
  #isConnecting = false
  /** Whoever waits for the attempt to connect that is under way. */
  #waiting: ((connection: Connection | null) => void)[] = []
  #reconnectMs = minReconnectMs
  #reconnect: Timer | null = null
  #isClosed = false

  constructor(port: number, clock: Clock) {
    this.#port = port
    this.#clock = clock
  }

  dial(request: CallRequest, observer: CallObserver): Call {
    const { callId } = request
    if (this.#live.has(callId))
      return refuseCall(this.#clock, observer, refusalEvidence(482, 'Merged Request'))
    const call: LiveCall = { observer, wasSent: false, hungUp: false, heard: 'nothing' }
    this.#live.set(callId, call)
    this.#withConnection(connection => {
      if (call.hungUp) this.#endHere(callId, 487, 'Request Terminated')
      else if (connection === null) this.#endHere(callId, 503, 'the carrier cannot be reached')
      else this.#send(connection, request, call)
    })
    return { hangUp: () => this.#hangUp(callId, call) }
  }

  async rescue(_trunk: unknown, callIds: string[]): Promise<RescueAnswer[]> {
    const answer = await this.#ask(question => ({ type: 'rescue', question, callIds }))
    // Not `unknown`: that would be the carrier's last word, and this one may be back in a moment.
    if (!Array.isArray(answer)) throw new Error('the carrier cannot be reached')
    return answer
  }

  /** What the carrier saw of all its callers; null: it cannot be reached. */
  async seen(): Promise<Seen | null> {
    const answer = await this.#ask(question => ({ type: 'stats', question }))
    return Array.isArray(answer) ? null : answer
  }

  async close(): Promise<void> {
    this.#isClosed = true
    this.#live.clear()
    this.#reconnect?.cancel()
    this.#connection?.close()
    this.#lose()
  }

  #send(
    connection: Connection,
    { variablesJson: _row, agent: _agent, ...request }: CallRequest,
    call: LiveCall,
  ): void {
    call.wasSent = true
    connection.send({ type: 'dial', request })
  }

  #hangUp(callId: string, call: LiveCall): void {
    if (call.hungUp || this.#live.get(callId) !== call) return
    call.hungUp = true
    // Without a connection the hang-up waits for the next one, or for the dial that is not sent yet.
    if (call.wasSent) this.#connection?.send({ type: 'hang-up', callId })
  }

  /** For a call that never left this process. */
  #endHere(callId: string, sipStatus: number, phrase: string): void {
    const call = this.#live.get(callId)
    this.#live.delete(callId)
    call?.observer.ended(refusalEvidence(sipStatus, phrase), this.#clock.now())
  }

  #ask(messageOf: (question: number) => ToCarrier): Promise<Answer> {
    return new Promise(resolve => {
      this.#withConnection(connection => {
        if (connection === null) return resolve(null)
        const question = ++this.#lastQuestion
        this.#questions.set(question, resolve)
        connection.send(messageOf(question))
      })
    })
  }

  // ---- the connection ----

  /** Calls back with a connection, at once if there is one; with null when none can be made. Never throws. */
  #withConnection(use: (connection: Connection | null) => void): void {
    if (this.#connection?.isOpen) return void use(this.#connection)
    if (this.#isClosed) return void this.#clock.at(this.#clock.now(), () => use(null))
    this.#waiting.push(use)
    this.#connect()
  }

  #connect(): void {
    if (this.#isConnecting) return
    this.#isConnecting = true
    this.#reconnect?.cancel()
    const socket = connect({ host: '127.0.0.1', port: this.#port })
    const connection: Connection = new LineSocket(socket, message => this.#hear(message))
    socket.once('connect', () => this.#connected(connection))
    socket.once('close', () => this.#lose())
    this.#connection = connection
  }

  #connected(connection: Connection): void {
    this.#isConnecting = false
    this.#reconnectMs = minReconnectMs
    const callIds = [...this.#live].filter(([, { wasSent }]) => wasSent).map(([callId]) => callId)
    if (callIds.length > 0) connection.send({ type: 'attach', callIds })
    for (const callId of callIds)
      if (this.#live.get(callId)?.hungUp) connection.send({ type: 'hang-up', callId })
    this.#serveWaiting(connection)
  }

  /** The connection broke or never came about: calls under way are asked after when there is one again. */
  #lose(): void {
    const wasConnecting = this.#isConnecting
    this.#connection = null
    this.#isConnecting = false
    for (const resolve of this.#questions.values()) resolve(null)
    this.#questions.clear()
    if (this.#isClosed || wasConnecting) this.#serveWaiting(null)
    if (this.#isClosed) return
    if (this.#waiting.length > 0) this.#connect()
    else if ([...this.#live.values()].some(({ wasSent }) => wasSent)) this.#reconnectLater()
  }

  #reconnectLater(): void {
    this.#reconnect = this.#clock.at(this.#clock.now() + this.#reconnectMs, () => this.#connect())
    this.#reconnectMs = Math.min(maxReconnectMs, 2 * this.#reconnectMs)
  }

  #serveWaiting(connection: Connection | null): void {
    const waiting = this.#waiting
    this.#waiting = []
    for (const use of waiting) use(connection)
  }

  // ---- what the carrier says ----

  #hear(message: FromCarrier): void {
    if (message.type === 'rescued') this.#answer(message.question, message.answers)
    else if (message.type === 'seen') this.#answer(message.question, message.seen)
    else this.#hearOfCall(message)
  }

  #answer(question: number, answer: Answer): void {
    this.#questions.get(question)?.(answer)
    this.#questions.delete(question)
  }

  #hearOfCall(event: CallEvent): void {
    const call = this.#live.get(event.callId)
    if (call === undefined) return
    if (event.type === 'ended') {
      this.#live.delete(event.callId)
      call.observer.ended(event.evidence, event.at)
    } else if (event.type === 'answered' && call.heard !== 'answered') {
      call.heard = 'answered'
      call.observer.answered(event.at)
    } else if (event.type === 'ringing' && call.heard === 'nothing') {
      call.heard = 'ringing'
      call.observer.ringing(event.at)
    }
  }
}
