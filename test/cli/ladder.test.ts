// The ladder that `outdial doctor trunk` draws: plain ASCII, as wide as there is room for.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { drawLadder, type LadderMessage } from '../../src/cli/ladder.ts'

const message = (
  direction: LadderMessage['direction'],
  afterMs: number,
  firstLine: string,
  remote = '192.0.2.1:5060',
): LadderMessage => ({ direction, afterMs, firstLine, remote, transport: 'udp' })

test('what we say goes to the right, what they say to the left, and another side is named anew', () => {
  const lines = drawLadder(
    [
      message('sent', 0, 'INVITE sip:+12025550163@a SIP/2.0'),
      message('received', 41, 'SIP/2.0 503 Service Unavailable'),
      message('sent', 1_050, 'INVITE sip:+12025550163@a SIP/2.0', '192.0.2.2:5060'),
    ],
    54,
  )
  assert.deepEqual(lines, [
    '           us                   192.0.2.1:5060 (udp)',
    '   0.000 s |--- INVITE ---------------------------->|',
    '   0.041 s |<-- 503 Service Unavailable ------------|',
    '           us                   192.0.2.2:5060 (udp)',
    '   1.050 s |--- INVITE ---------------------------->|',
  ])
})

test('long words are cut, and what is no ASCII is not drawn', () => {
  const [, line] = drawLadder([message('received', 0, 'SIP/2.0 488 Ça ne va pas du tout, monsieur')], 40)
  assert.match(line!, /^ {3}0\.000 s \|<-- 488 \?a ne va pa\.\.\. -+\|$/)
  assert.equal(line!.length, 12 + 26 + 1)
  assert.deepEqual(drawLadder([], 80), [])
})
