// After many calls of every kind nothing is left: no socket, line, transaction, timer or listener.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { dialAndRecord } from '../carrier/carrier-conformance.ts'
import { type Carrying, openCarrying } from './carrying.ts'

const calls = 10_000
const atOnce = 200
/** Talks and hangs up, is busy, is hung up while ringing, is hung up by us. */
const endings = ['90', '92', '82', '91'] as const

test(`after ${calls} calls nothing is left over`, { timeout: 120_000 }, async () => {
  const under = await openCarrying()
  try {
    await dialOne(under, 0)
    const before = openHandles()
    for (let from = 0; from < calls; from += atOnce)
      await Promise.all(Array.from({ length: atOnce }, (_, index) => dialOne(under, from + index)))
    assert.deepEqual(openHandles(), before)
    assert.deepEqual([under.agent.figures().calls, under.media.figures().openLines], [0, 0])
    assert.equal(under.media.lines.length, calls + 1)
    await settled(under)
  } finally {
    await under.close()
  }
})

async function dialOne(under: Carrying, index: number): Promise<void> {
  const ending = endings[index % endings.length]!
  const { call, ringing, answered, ended } = dialAndRecord(
    under,
    `+1202555${1_000 + (index % 9_000)}${ending}`,
  )
  if (ending === '82') await ringing
  if (ending === '91') await answered
  if (ending === '82' || ending === '91') call.hangUp()
  await ended
}

function openHandles(): Record<string, number> {
  const kinds = process.getActiveResourcesInfo().filter(kind => kind !== 'Immediate' && kind !== 'Timeout')
  return Object.fromEntries(
    [...Map.groupBy(kinds, kind => kind)].map(([kind, all]) => [kind, all.length] as const).sort(),
  )
}

/** What absorbs repetitions goes by its timers (a fiftieth of the usual here); the event loop turns until it has. */
async function settled({ agent }: Carrying): Promise<void> {
  const isEmpty = () => {
    const { clientTransactions, serverTransactions } = agent.figures()
    return clientTransactions + serverTransactions === 0
  }
  while (!isEmpty()) await new Promise(resolve => setImmediate(resolve))
}
