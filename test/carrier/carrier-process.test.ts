// The carrier's process: its command line, its death and its return.
import assert from 'node:assert/strict'
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { RemoteCarrier } from '../../src/carrier/simulated/remote-carrier.ts'
import { realClock } from '../../src/runtime/clock.ts'
import { dialAndRecord, newCallId, quickSettings, simulatedTrunk } from './carrier-conformance.ts'

const program = fileURLToPath(new URL('../../src/carrier/simulated/carrier-process.ts', import.meta.url))
const trunk = simulatedTrunk(quickSettings)

async function startProcess(...options: string[]): Promise<{ child: ChildProcess; port: number }> {
  const child = spawn(process.execPath, [program, '--until-stdin-ends', ...options], { stdio: 'pipe' })
  const [line] = await once(child.stdout!, 'data')
  return { child, port: Number(JSON.parse(String(line)).listening.split(':')[1]) }
}

test('a carrier process that is killed in the middle of a call comes back knowing it', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'outdial-carrier-'))
  const log = join(folder, 'carrier.log')
  const first = await startProcess('--port', '0', '--log', log)
  const carrier = new RemoteCarrier(first.port, realClock)
  const callId = newCallId()
  const slow = simulatedTrunk({ ...quickSettings, talkMs: [60_000, 60_000], speedFactor: 1 })
  const { answered, ended } = dialAndRecord({ carrier, trunk: slow }, '+12025550190', { callId })
  const answeredAt = await answered
  first.child.kill('SIGKILL')
  await once(first.child, 'exit')

  const second = await startProcess('--port', String(first.port), '--log', log)
  const { evidence } = await ended
  assert.deepEqual([evidence.sipStatus, evidence.answeredAt], [200, answeredAt])
  assert.deepEqual(await carrier.rescue(trunk, [callId, 'never']), ['answered', 'never-placed'])
  await carrier.close()
  second.child.kill('SIGTERM')
  assert.deepEqual(await once(second.child, 'exit'), [0, null])
  await rm(folder, { recursive: true })
})

test('a carrier process ends when its standard input does, so that no test leaves one behind', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'outdial-carrier-'))
  const { child } = await startProcess('--port', '0', '--log', join(folder, 'carrier.log'))
  child.stdin!.end()
  assert.deepEqual(await once(child, 'exit'), [0, null])
  await rm(folder, { recursive: true })
})

test('wrong options are answered with how to use it and exit code 2', async () => {
  for (const options of [[], ['--log', 'x', '--port', 'seven'], ['--unknown']]) {
    const child = spawn(process.execPath, [program, ...options], { stdio: 'pipe' })
    let said = ''
    child.stderr.on('data', text => {
      said += text
    })
    const [code] = await once(child, 'close')
    assert.equal(code, 2)
    assert.match(said, /usage: carrier-process\.ts --log FILE/)
  }
})
