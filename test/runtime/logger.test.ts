// The log hides what must not be read in it.
import assert from 'node:assert/strict'
import { Writable } from 'node:stream'
import { test } from 'node:test'
import { createLogger, maskNumber } from '../../src/runtime/logger.ts'

function collected() {
  const lines: string[] = []
  const destination = new Writable({
    write(chunk: Buffer, _encoding, done) {
      lines.push(...chunk.toString().trimEnd().split('\n'))
      done()
    },
  })
  return { lines, destination }
}

test('a telephone number keeps its country and its last two digits', () => {
  assert.equal(maskNumber('+12025550163'), '+120******63')
  assert.equal(maskNumber('12345'), '*****')
  assert.equal(maskNumber({ number: '+12025550163' }), '[hidden]')
})

test('numbers are masked in their fields, keys are hidden altogether', () => {
  const { lines, destination } = collected()
  const logger = createLogger({ level: 'info', destination })
  logger.info({ to: '+12025550163', callerId: '+12025550199', apiKey: 'od_secret', attemptId: 7 }, 'placed')
  const { to, callerId, apiKey, attemptId, msg } = JSON.parse(lines[0]!)
  assert.deepEqual(
    { to, callerId, apiKey, attemptId, msg },
    {
      to: '+120******63',
      callerId: '+120******99',
      apiKey: '[hidden]',
      attemptId: 7,
      msg: 'placed',
    },
  )
})

test('on a terminal a line is short: the time, the level, the message, the fields', () => {
  const { lines, destination } = collected()
  createLogger({ level: 'info', readable: true, destination }).warn(
    { trunkId: 1, reason: 'slow down' },
    'trunk slowed',
  )
  assert.match(lines[0]!, /^\d\d:\d\d:\d\d warn {2}trunk slowed {2}trunkId=1 {2}reason=slow down$/)
})

test('an error keeps its stack on a terminal', () => {
  const { lines, destination } = collected()
  createLogger({ level: 'info', readable: true, destination }).error({ err: new Error('broke') }, 'failed')
  assert.match(lines[0]!, /error failed$/)
  assert.match(lines.join('\n'), /Error: broke\n\s+at /)
})
