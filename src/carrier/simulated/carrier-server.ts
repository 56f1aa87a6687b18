// The simulated carrier as a server: it outlives those who dial and has every dial and answer on disk before it acts.
import { createServer, type Server, type Socket } from 'node:net'
import type { Clock } from '../../runtime/clock.ts'
import type { Call, CallObserver } from '../carrier.ts'
import {
  type CallEvent,
  type DialRequest,
  type FromCarrier,
  LineSocket,
  type ToCarrier,
} from './carrier-messages.ts'
import { DurableLog } from './durable-log.ts'
import { refusalEvidence } from './refusal.ts'
import { SimulatedCarrier } from './simulated-carrier.ts'
import { type Seen, TrafficMeter } from './traffic-meter.ts'

/** A line of the log. `refused`: a dial whose Call-ID had been withdrawn before. */
export type LogLine =
  | { what: 'dial' | 'answer' | 'refused'; callId: string; number: string; at: number }
  | { what: 'withdrawn'; callId: string; at: number }

export interface CarrierServerOptions {
  /** 0: any free port. */
  port: number
  logPath: string
  seed: number
  clock: Clock
  /** The log cannot be written any more: nothing may be dialled from here on. */
  onFailure(error: unknown): void
}

type Caller = LineSocket<FromCarrier, ToCarrier>

/** A call that was dialled here, kept after its end for whoever asks again. */
interface HeldCall {
  /** null until the dial is on disk, and after the end. */
  call: Call | null
  /** Who hears of it now: the connection that dialled it, or a later one that asked. */
  caller: Caller | null
  latest: CallEvent | null
}

export class CarrierServer {
  readonly #clock: Clock
  readonly #log: DurableLog<LogLine>
  readonly #carrier: SimulatedCarrier
  readonly #held = new Map<string, HeldCall>()
  readonly #callers = new Set<Caller>()
  /** Dials as they arrive: the fsync that each then waits for would blur their spacing. */
  readonly #arrivals = new TrafficMeter()
  readonly #server: Server

  private constructor(clock: Clock, seed: number, log: DurableLog<LogLine>, lines: LogLine[]) {
    this.#clock = clock
    this.#log = log
    this.#carrier = new SimulatedCarrier({ clock, seed, remembersAll: true })
    this.#server = createServer(socket => this.#accept(socket))
    for (const line of lines) this.#recall(line)
  }

  static async start({
    port,
    logPath,
    seed,
    clock,
    onFailure,
  }: CarrierServerOptions): Promise<CarrierServer> {
    const { log, lines } = await DurableLog.open<LogLine>(logPath, onFailure)
    const server = new CarrierServer(clock, seed, log, lines)
    await new Promise<void>((resolve, reject) => {
      server.#server.once('error', reject).listen(port, '127.0.0.1', resolve)
    })
    return server
  }

  get port(): number {
    const address = this.#server.address()
    return typeof address === 'object' && address !== null ? address.port : 0
  }

  seen(): Seen {
    const { maxCallsPerSecond, minSpacingMs } = this.#arrivals.seen()
    return { ...this.#carrier.seen(), maxCallsPerSecond, minSpacingMs }
  }

  async close(): Promise<void> {
    await this.#carrier.close()
    for (const caller of this.#callers) caller.close()
    await new Promise(resolve => this.#server.close(resolve))
    await this.#log.close()
  }

  #accept(socket: Socket): void {
    const caller: Caller = new LineSocket(socket, message => this.#hear(caller, message))
    this.#callers.add(caller)
    socket.on('close', () => this.#callers.delete(caller))
  }

  #hear(caller: Caller, message: ToCarrier): void {
    switch (message.type) {
      case 'dial':
        this.#dial(caller, message.request)
        break
      case 'hang-up':
        this.#log.after(() => this.#held.get(message.callId)?.call?.hangUp())
        break
      case 'attach':
        for (const callId of message.callIds) this.#attach(caller, callId)
        break
      case 'rescue':
        this.#rescue(caller, message.question, message.callIds)
        break
      case 'stats':
        caller.send({ type: 'seen', question: message.question, seen: this.seen() })
    }
  }

  /** Whether a Call-ID may be dialled is settled on arrival; the log and the call follow in the same order. */
  #dial(caller: Caller, request: DialRequest): void {
    const { callId, to } = request
    const at = this.#clock.now()
    this.#arrivals.dialed(at)
    const isWithdrawn = this.#carrier.isWithdrawn(callId)
    const isNew = !isWithdrawn && !this.#held.has(callId)
    const held: HeldCall = { call: null, caller, latest: null }
    if (isNew) this.#held.set(callId, held)
    this.#log.append({ what: isWithdrawn ? 'refused' : 'dial', callId, number: to, at }, () => {
      held.call = this.#carrier.dial({ ...request, variablesJson: '{}' }, this.#observe(held, callId, to))
    })
  }

  #observe(held: HeldCall, callId: string, number: string): CallObserver {
    const tell = (event: CallEvent) => {
      held.latest = event
      held.caller?.send(event)
    }
    return {
      ringing: at => this.#log.after(() => tell({ type: 'ringing', callId, at })),
      answered: at =>
        this.#log.append({ what: 'answer', callId, number, at }, () =>
          tell({ type: 'answered', callId, at }),
        ),
      ended: (evidence, at) =>
        this.#log.after(() => {
          held.call = null
          tell({ type: 'ended', callId, at, evidence })
        }),
    }
  }

  /** A call that never arrived is withdrawn, so that bytes still under way on the old connection cannot place it. */
  #attach(caller: Caller, callId: string): void {
    const held = this.#held.get(callId)
    const neverCame = refusalEvidence(503, 'the call did not reach the carrier')
    if (held === undefined)
      this.#withdraw(callId, at => caller.send({ type: 'ended', callId, at, evidence: neverCame }))
    else
      this.#log.after(() => {
        held.caller = caller
        if (held.latest !== null) caller.send(held.latest)
      })
  }

  #rescue(caller: Caller, question: number, callIds: string[]): void {
    for (const callId of callIds) if (!this.#held.has(callId)) this.#withdraw(callId, () => {})
    this.#log.after(async () => {
      const answers = await this.#carrier.rescue(null, callIds)
      caller.send({ type: 'rescued', question, answers })
    })
  }

  #withdraw(callId: string, then: (at: number) => void): void {
    const at = this.#clock.now()
    if (this.#carrier.isWithdrawn(callId)) this.#log.after(() => then(at))
    else this.#log.append({ what: 'withdrawn', callId, at }, () => then(at))
    this.#carrier.rescueOne(callId)
  }

  /** What an earlier life of this process wrote down: its calls are over. */
  #recall(line: LogLine): void {
    const { what, callId } = line
    if (what === 'withdrawn') this.#carrier.recall(callId, 'withdrawn', null)
    if (what === 'dial') this.#recallCall(callId, line.at, null, line.number)
    if (what === 'answer') this.#recallCall(callId, line.at, line.at, null)
  }

  #recallCall(callId: string, at: number, answeredAt: number | null, number: string | null): void {
    this.#carrier.recall(callId, answeredAt === null ? 'unanswered' : 'answered', number)
    const broken = refusalEvidence(answeredAt === null ? 500 : 200, 'the carrier was restarted')
    const latest: CallEvent = { type: 'ended', callId, at, evidence: { ...broken, answeredAt } }
    this.#held.set(callId, { call: null, caller: null, latest })
  }
}
