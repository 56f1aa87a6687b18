// What every agent adapter has to do, whatever stands behind it. Each adapter's test runs this suite.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { AgentSettings, ConnectAgent } from '../../src/agent/agent.ts'
import { FakeCallLeg, isAudible } from './fake-call-leg.ts'

/** One adapter with whatever it talks to, set up so that the agent speaks after the answer (or echoes speech). */
export interface AgentRig {
  connect: ConnectAgent
  settings: AgentSettings
  /** The other side breaks in the middle of a call; absent: there is no other side. */
  breakOff?(): void
  /** The other side says something more, unasked; absent: it cannot. */
  speakAgain?(): Promise<void>
  close(): Promise<void>
}

const speech = Uint8Array.from({ length: 160 }, (_, sample) => 0x20 + (sample % 64))

export function agentConformance(name: string, openRig: () => Promise<AgentRig>): void {
  const inRig = (title: string, run: (rig: AgentRig) => Promise<void>) =>
    test(`${name}: ${title}`, { timeout: 60_000 }, async () => {
      const rig = await openRig()
      try {
        await run(rig)
      } finally {
        await rig.close()
      }
    })

  inRig('an agent that is connected while the telephone rings keeps silent until the answer', async rig => {
    const leg = await connected(rig)
    leg.pass(2_000)
    await turn()
    assert.equal(isAudible(leg.audio()), false)
    assert.deepEqual([leg.failures, leg.hungUp], [[], null])
    leg.session?.close()
  })

  inRig('the person hears the agent after the answer', async rig => {
    const leg = await talking(rig)
    assert.equal(isAudible(leg.audio()), true)
    assert.deepEqual(leg.failures, [])
    leg.session?.close()
  })

  inRig('keys and marks that nobody waits for do no harm', async rig => {
    const leg = await connected(rig)
    leg.session?.keyPressed('1')
    leg.session?.markPlayed('unknown')
    leg.session?.answered()
    for (const key of '0123456789*#ABCD') leg.session?.keyPressed(key)
    leg.session?.markPlayed('unknown')
    leg.pass(200)
    await turn()
    assert.deepEqual(leg.failures, [])
    leg.session?.close()
  })

  inRig('answered counts once', async rig => {
    const leg = await talking(rig)
    leg.session?.answered()
    leg.pass(40)
    await turn()
    assert.deepEqual(leg.failures, [])
    leg.session?.close()
  })

  inRig('a closed session touches the call no more', async rig => {
    const leg = await talking(rig)
    leg.session?.close()
    const deeds = leg.deeds.length
    leg.session?.close()
    leg.session?.answered()
    leg.session?.hear(speech)
    leg.session?.keyPressed('1')
    leg.session?.markPlayed('unknown')
    await rig.speakAgain?.()
    await turn()
    assert.deepEqual(leg.deeds.slice(deeds), [])
  })

  inRig('an agent that breaks off in the middle of a call fails it once', async rig => {
    if (rig.breakOff === undefined) return
    const leg = await talking(rig)
    rig.breakOff()
    await leg.until(() => leg.failures.length > 0)
    leg.pass(200)
    leg.session?.keyPressed('1')
    leg.session?.close()
    await turn()
    assert.equal(leg.failures.length, 1)
    assert.equal(leg.hungUp, null)
  })

  inRig('one agent serves many calls at once, each with its own audio', async rig => {
    const legs = await Promise.all(Array.from({ length: 10 }, (_, n) => connected(rig, `call-${n}`)))
    await Promise.all(legs.map(leg => talk(leg)))
    for (const leg of legs) {
      assert.equal(isAudible(leg.audio()), true)
      leg.session?.close()
    }
  })
}

async function connected(rig: AgentRig, callId = 'call-1'): Promise<FakeCallLeg> {
  const leg = new FakeCallLeg({ callId, variables: { name: 'Maria', nested: { a: 1 }, none: null } })
  leg.session = await rig.connect(leg, rig.settings)
  return leg
}

async function talking(rig: AgentRig): Promise<FakeCallLeg> {
  const leg = await connected(rig)
  await talk(leg)
  return leg
}

/** The person picks up and speaks until the agent is heard. */
async function talk(leg: FakeCallLeg): Promise<void> {
  leg.session?.answered()
  leg.pass(100, speech)
  await leg.until(() => leg.queuedMs() > 0 || isAudible(leg.audio()))
  leg.pass(1_000)
}

/** Whatever is under way in this thread happens. */
async function turn(): Promise<void> {
  for (let round = 0; round < 10; round++) await new Promise(resolve => setImmediate(resolve))
}
