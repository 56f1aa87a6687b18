// Two telephones on one pacer, in virtual time, over a network in memory.
import type { AgentSession } from '../../src/agent/agent.ts'
import type { OpenLine } from '../../src/carrier/rtp/media.ts'
import { createPacer } from '../../src/carrier/rtp/pacer.ts'
import { VirtualClock } from '../../src/runtime/virtual-clock.ts'
import { createMemoryNetwork } from './memory-network.ts'
import { openTelephone, remoteAt } from './telephone.ts'

const startAt = 1_700_000_000_000

/** Two telephones, a at port 10000 and b at 10002, on one pacer. */
export async function twoTelephones(
  changes: Partial<OpenLine> = {},
  agents: { a?: Partial<AgentSession>; b?: Partial<AgentSession> } = {},
) {
  const clock = new VirtualClock(startAt)
  const network = createMemoryNetwork(clock)
  const deps = { clock, datagrams: network, pacer: createPacer({ clock }) }
  const a = await openTelephone(deps, 10_000, changes, agents.a)
  const b = await openTelephone(deps, 10_002, { srtp: changes.srtp ?? false }, agents.b)
  const pass = (ms: number) => clock.run({ until: clock.now() + ms })
  const connect = (media: Parameters<typeof remoteAt>[1] = {}) => {
    a.line.connect(remoteAt(10_002, { ...media, srtpKey: b.line.srtpKey }))
    b.line.connect(remoteAt(10_000, { ...media, srtpKey: a.line.srtpKey }))
    a.line.answered()
    b.line.answered()
  }
  const close = async () => [await a.line.close(), await b.line.close()] as const
  return { clock, network, a, b, pass, connect, close, deps }
}
