// Our audio against programs that we did not write: SIPp sends it back, SoX reads the recording.
import assert from 'node:assert/strict'
import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { plainDatagrams } from '../../src/carrier/rtp/datagrams.ts'
import { createPacer } from '../../src/carrier/rtp/pacer.ts'
import { pcmToUlaw } from '../../src/media/g711.ts'
import { realClock } from '../../src/runtime/clock.ts'
import { alikeByParts, sweep } from '../media/sound.ts'
import { openTelephone, remoteAt, type Telephone } from './telephone.ts'

const clock = realClock
const voice = sweep(8000)
const sippPort = 26_790
const mediaPort = 26_792

/** The reason to skip; false: run. In CI nothing is skipped: there the missing program fails the test. */
const without = (command: string) =>
  process.env.CI !== 'true' &&
  spawnSync(command, ['--version']).error !== undefined &&
  `${command} is not installed`

test('SIPp sends our voice and our keys back, and the recording is a WAV file to SoX', {
  skip: without('sipp') || without('sox'),
}, async t => {
  const folder = await mkdtemp(join(tmpdir(), 'outdial-peers-'))
  const recordingPath = join(folder, 'call.wav')
  const where = ['-i', '127.0.0.1', '-p', String(sippPort), '-mi', '127.0.0.1', '-mp', String(mediaPort)]
  const sipp = spawn('sipp', ['-sn', 'uas', ...where, '-rtp_echo', '-nostdin'], {
    stdio: 'ignore',
    cwd: folder,
  })
  const pacer = createPacer({ clock })
  const phone = await openTelephone({ clock, pacer, datagrams: plainDatagrams }, 26_700, { recordingPath })
  t.after(async () => {
    sipp.kill('SIGKILL')
    await once(sipp, 'exit')
    await phone.line.close()
    pacer.close()
    await rm(folder, { recursive: true })
  })
  phone.line.connect(remoteAt(mediaPort))
  phone.line.answered()
  await pressUntilHeard(phone)
  const from = phone.frames.length
  phone.leg.play(pcmToUlaw(voice))
  await phone.until(() => phone.frames.length >= from + 90)
  assert.ok(alikeByParts(voice, phone.heard().subarray(from * 160)) > 0.9)

  const { recordingBytes, packetsReceived } = await phone.line.close()
  assert.ok(packetsReceived > 80)
  const info = spawnSync('sox', ['--i', recordingPath], { encoding: 'utf8' }).stdout
  assert.match(info, /Channels\s+: 2/)
  assert.match(info, /Sample Rate\s+: 8000/)
  assert.match(info, /u-law/)
  assert.ok(recordingBytes! > 90 * 320)
})

/** SIPp does not say when it is ready: a key that comes back does. */
async function pressUntilHeard(phone: Telephone): Promise<void> {
  while (!phone.keys.includes('5')) {
    phone.leg.pressKeys('5')
    const from = phone.frames.length
    await phone.until(() => phone.keys.includes('5') || phone.frames.length >= from + 25)
  }
  // Its last copies, and those of other presses, are still on the way.
  const from = phone.frames.length
  await phone.until(() => phone.frames.length >= from + 25)
}
