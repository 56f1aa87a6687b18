// Every row of the outcome table, said by SIPp: how the call is classified, and what a batch then does with the person.
import assert from 'node:assert/strict'
import { type Consequence, classify, type Disposition } from '../../src/domain/outcome.ts'
import { peerTest, startSipp } from './peers.ts'
import { openAgent, ring } from './ringing-agent.ts'

interface Row {
  status: number
  phrase: string
  /** A further header of the answer. */
  header?: string
  disposition: Disposition
  retryable: boolean
  consequence: Consequence
}

const row = (
  status: number,
  phrase: string,
  disposition: Disposition,
  retryable: boolean,
  consequence: Consequence = 'none',
  header?: string,
): Row => ({
  status,
  phrase,
  disposition,
  retryable,
  consequence,
  ...(header !== undefined && { header }),
})

/** Field notes §1, "Final answer → outcome", a row of SIPp's for each code of it. */
const rows: readonly Row[] = [
  row(486, 'Busy Here', 'busy', true),
  row(600, 'Busy Everywhere', 'busy', true),
  row(480, 'Temporarily Unavailable', 'no-answer', true),
  row(408, 'Request Timeout', 'no-answer', true),
  row(487, 'Request Terminated', 'no-answer', true),
  row(404, 'Not Found', 'unreachable', false),
  row(410, 'Gone', 'unreachable', false),
  row(484, 'Address Incomplete', 'unreachable', false),
  row(485, 'Ambiguous', 'unreachable', false),
  row(604, 'Does Not Exist Anywhere', 'unreachable', false),
  row(603, 'Decline', 'declined', true),
  row(607, 'Unwanted', 'blocked', false, 'suppress-number'),
  row(608, 'Rejected', 'blocked', true, 'rest-caller-id'),
  row(603, 'Decline', 'blocked', true, 'rest-caller-id', 'X-Twilio-Error: 32203 flagged'),
  row(401, 'Unauthorized', 'carrier-failure', true, 'open-trunk-breaker'),
  row(407, 'Proxy Authentication Required', 'carrier-failure', true, 'open-trunk-breaker'),
  row(403, 'Forbidden', 'carrier-failure', true, 'open-trunk-breaker'),
  row(429, 'Too Many Requests', 'carrier-failure', true, 'put-back', 'Retry-After: 5'),
  row(403, 'Channel limit reached D1', 'carrier-failure', true, 'put-back'),
  row(503, 'CPS limit exceeded', 'carrier-failure', true, 'put-back'),
  row(480, 'No channels available', 'carrier-failure', true, 'put-back'),
  row(
    503,
    'Service Unavailable',
    'carrier-failure',
    true,
    'put-back',
    'Warning: 399 carrier "too many calls"',
  ),
  row(488, 'Not Acceptable Here', 'carrier-failure', true, 'open-trunk-breaker'),
  row(606, 'Not Acceptable', 'carrier-failure', true, 'open-trunk-breaker'),
  row(415, 'Unsupported Media Type', 'carrier-failure', true, 'open-trunk-breaker'),
  row(500, 'Server Internal Error', 'carrier-failure', true),
  row(502, 'Bad Gateway', 'carrier-failure', true),
  row(504, 'Server Time-out', 'carrier-failure', true),
  row(503, 'Service Unavailable', 'carrier-failure', true),
  ...(
    [
      [1, 'unreachable', false, 'none'],
      [22, 'unreachable', false, 'none'],
      [28, 'unreachable', false, 'none'],
      [17, 'busy', true, 'none'],
      [18, 'no-answer', true, 'none'],
      [19, 'no-answer', true, 'none'],
      [20, 'no-answer', true, 'none'],
      [21, 'declined', true, 'none'],
      [34, 'carrier-failure', true, 'put-back'],
      [42, 'carrier-failure', true, 'put-back'],
      [44, 'carrier-failure', true, 'put-back'],
      [38, 'carrier-failure', true, 'none'],
      [41, 'carrier-failure', true, 'none'],
    ] as const
  ).map(([cause, disposition, retryable, consequence]) =>
    // A status that says little leaves the word to Q.850.
    row(500, 'Server Internal Error', disposition, retryable, consequence, `Reason: Q.850;cause=${cause}`),
  ),
]

peerTest('each final answer of the table becomes its outcome', ['sipp'], async t => {
  const agent = await openAgent(t)
  for (const expected of rows) {
    const { status, phrase, header = 'X-Nothing: else' } = expected
    const fill = { STATUS: String(status), PHRASE: phrase, HEADER: header }
    const peer = await startSipp(t, { scenario: 'final', fill })
    const evidence = await ring(agent, [peer.port]).ended
    const { disposition, retryable, consequence } = classify(evidence)
    assert.deepEqual(
      { status: evidence.sipStatus, disposition, retryable, consequence },
      {
        status: expected.status,
        disposition: expected.disposition,
        retryable: expected.retryable,
        consequence: expected.consequence,
      },
      `${status} ${phrase} ${header}`,
    )
    assert.equal(evidence.phrase?.startsWith(phrase), true)
    assert.equal(await peer.done, '')
  }
})
