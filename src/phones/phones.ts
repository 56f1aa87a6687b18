// A street of telephones on this machine, for trying and showing real calls: SIP over UDP and TCP, RTP, and people.
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { openMediaPool } from '../carrier/rtp/media-pool.ts'
import type { PortBounds } from '../carrier/rtp/port-range.ts'
import type { IncomingCall } from '../carrier/sip/incoming-call.ts'
import { createResolver } from '../carrier/sip/resolver.ts'
import { systemDns } from '../carrier/sip/system-dns.ts'
import { openTcp } from '../carrier/sip/tcp.ts'
import type { Transport, TransportEvents } from '../carrier/sip/transport.ts'
import { openUdp } from '../carrier/sip/udp.ts'
import { createUserAgent, type UserAgent } from '../carrier/sip/user-agent.ts'
import type { Clock } from '../runtime/clock.ts'
import type { Logger } from '../runtime/logger.ts'
import { seededRandom } from '../runtime/random.ts'
import { beepWav } from './beep-wav.ts'
import { personAt } from './person.ts'
import { PhoneCall } from './phone-call.ts'

export interface PhonesOptions {
  /** IP to bind, for SIP and RTP. */
  host: string
  /** UDP and TCP; 0: the kernel chooses. */
  port: number
  rtpPorts: PortBounds
  /** The same seed, the same people. */
  seed: number
  clock: Clock
  logger: Logger
  /** Told when a call is over: the number, and what happened in a few words. */
  onCall(number: string, what: string): void
}

export interface Phones {
  host: string
  port: number
  /** Hangs up whoever still talks, and releases everything. */
  close(): Promise<void>
}

/** Calls at the same time; more are refused as by a carrier that has no channel left. */
export const maxCalls = 200
/** Numbers whose calls are counted; when there are more, all begin anew. */
const maxKnownNumbers = 100_000
/** How long BYEs may be under way at the end, ms. */
const byeMs = 500
/** Whoever tries a street on a busy machine wants to hear it stumble, not to be refused. */
const maxLatenessMs = Number.POSITIVE_INFINITY
const beep = 'beep.wav'

/** @throws the listen error as Node has it; what was opened is closed again */
export async function openPhones(options: PhonesOptions): Promise<Phones> {
  const { host, port, rtpPorts, clock, logger } = options
  const closers: (() => Promise<unknown>)[] = []
  const close = async () => {
    for (const closer of closers.splice(0).reverse()) await closer()
  }
  try {
    const audioDir = await mkdtemp(join(tmpdir(), 'outdial-phones-'))
    closers.push(() => rm(audioDir, { recursive: true, force: true }))
    await writeFile(join(audioDir, beep), beepWav())
    const media = await openMediaPool({ clock, logger, ports: rtpPorts, workers: 1, maxLatenessMs })
    closers.push(() => media.close())
    const street = new Street(options, media, audioDir)
    const agent = await createUserAgent({
      openTransports: events => openTransports(host, port, events),
      publicAddress: host,
      resolver: createResolver({ dns: systemDns, clock, random: seededRandom(options.seed) }),
      clock,
      logger,
      product: 'Outdial phones',
      onIncoming: call => street.take(call),
    })
    closers.push(
      () => agent.close(),
      () => street.hangUp(agent),
    )
    return { host, port: agent.localPort('udp')!, close }
  } catch (error) {
    await close()
    throw error
  }
}

class Street {
  readonly #options: PhonesOptions
  readonly #media: Awaited<ReturnType<typeof openMediaPool>>
  readonly #audioDir: string
  readonly #calls = new Set<PhoneCall>()
  #taken = new Map<string, number>()

  constructor(options: PhonesOptions, media: Awaited<ReturnType<typeof openMediaPool>>, audioDir: string) {
    this.#options = options
    this.#media = media
    this.#audioDir = audioDir
  }

  take(call: IncomingCall): void {
    const { host, seed, clock, logger, onCall } = this.#options
    const number = `+${call.dialled.replace(/\D/g, '')}`
    if (this.#calls.size >= maxCalls) {
      call.refuse(503, 'No channels available')
      return void onCall(number, '503 No channels available')
    }
    const person = personAt({ seed, audioDir: this.#audioDir, beep }, number, this.#countCall(number))
    const phone = new PhoneCall({
      call,
      number,
      person,
      media: this.#media,
      address: host,
      clock,
      logger,
      onOver: what => {
        this.#calls.delete(phone)
        onCall(number, what)
      },
    })
    this.#calls.add(phone)
    phone.start()
  }

  async hangUp(agent: UserAgent): Promise<void> {
    const { clock } = this.#options
    for (const phone of this.#calls) phone.hangUp()
    if (agent.figures().calls === 0) return
    await new Promise<void>(resolve => clock.at(clock.now() + byeMs, resolve))
  }

  /** How often the number was called before. */
  #countCall(number: string): number {
    const before = this.#taken.get(number) ?? 0
    if (this.#taken.size >= maxKnownNumbers) this.#taken = new Map()
    this.#taken.set(number, before + 1)
    return before
  }
}

async function openTransports(host: string, port: number, events: TransportEvents): Promise<Transport[]> {
  const udp = await openUdp({ host, port }, events)
  try {
    return [udp, await openTcp({ host, port: udp.localPort }, events)]
  } catch (error) {
    await udp.close()
    throw error
  }
}
