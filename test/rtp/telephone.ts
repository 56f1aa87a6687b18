// A telephone for tests: one of our own lines, with an agent that does what the test says and keeps what it hears.
import type { AgentSession, CallLeg, ConnectAgent } from '../../src/agent/agent.ts'
import type { DatagramSource } from '../../src/carrier/rtp/datagrams.ts'
import { type Line, openLine } from '../../src/carrier/rtp/line.ts'
import type { LineEvent, OpenLine, RemoteMedia } from '../../src/carrier/rtp/media.ts'
import type { Pacer } from '../../src/carrier/rtp/pacer.ts'
import { ulawToPcm } from '../../src/media/g711.ts'
import type { Clock } from '../../src/runtime/clock.ts'

export interface Telephone {
  line: Line
  leg: CallLeg
  port: number
  events: LineEvent[]
  keys: string
  marks: string[]
  closed: number
  frames: Uint8Array[]
  /** All that was heard since the answer. */
  heard(): Int16Array
  /** Resolves once `test` holds; asked after each frame, key, mark and event. */
  until(test: () => boolean): Promise<void>
}

export const request = (changes: Partial<OpenLine> = {}): OpenLine => ({
  callId: 'call-1',
  from: '+12025550100',
  to: '+12025550101',
  variables: {},
  agent: { kind: 'echo' },
  localAddress: '127.0.0.1',
  recordingPath: null,
  machine: 'off',
  srtp: false,
  rtpTimeoutMs: 60_000,
  ...changes,
})

export async function openTelephone(
  deps: { clock: Clock; pacer: Pacer; datagrams: DatagramSource },
  port: number,
  changes: Partial<OpenLine> = {},
  agent: Partial<AgentSession> = {},
): Promise<Telephone> {
  const waiting: { test: () => boolean; resolve: () => void }[] = []
  const check = () => {
    for (const one of waiting) if (one.test()) one.resolve()
  }
  const events: LineEvent[] = []
  const phone = { port, events, keys: '', marks: [], closed: 0, frames: [] } as unknown as Telephone
  const connectAgent: ConnectAgent = async leg => {
    phone.leg = leg
    return {
      answered() {},
      hear(frame) {
        phone.frames.push(frame.slice())
        check()
      },
      keyPressed(digit) {
        phone.keys += digit
        check()
      },
      markPlayed(name) {
        phone.marks.push(name)
        check()
      },
      close() {
        phone.closed++
      },
      ...agent,
    }
  }
  phone.line = await openLine(request(changes), port, { ...deps, connectAgent }, event => {
    events.push(event)
    check()
  })
  phone.heard = () => ulawToPcm(Buffer.concat(phone.frames))
  phone.until = test =>
    new Promise(resolve => {
      waiting.push({ test, resolve })
      check()
    })
  return phone
}

/** Where a line of ours wants its audio. */
export const remoteAt = (port: number, changes: Partial<RemoteMedia> = {}): RemoteMedia => ({
  address: '127.0.0.1',
  port,
  codec: 'PCMU',
  payloadType: changes.codec === 'PCMA' ? 8 : 0,
  telephoneEventType: 101,
  srtpKey: null,
  direction: 'sendrecv',
  ...changes,
})
