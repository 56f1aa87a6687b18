// `demo --sip` as a process: 25 telephones ring over SIP, people and agent talk, and what they said can be listened to.
import assert from 'node:assert/strict'
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { levelOf } from '../../src/media/amd.ts'
import { createBeepEar } from '../../src/media/beep.ts'
import { frameBytes, pcmToUlaw } from '../../src/media/g711.ts'
import { readWav } from '../../src/media/wav.ts'
import { outdial } from './spawned.ts'

/** As in the simulated demo, and Samir Haddad, whose agent fails there, picks up. */
const becameOf25 = /^25 people, \d\d calls, 17 answered/
/** Frames of 20 ms that are louder than any line's noise. */
const spoken = (frames: readonly Uint8Array[]) => frames.filter(frame => levelOf(frame) > 150).length

test('the demo rings 25 telephones over SIP, and both sides are heard on the recordings', async t => {
  const dir = await mkdtemp(join(tmpdir(), 'outdial-demo-sip-'))
  t.after(() => rm(dir, { recursive: true, force: true }))
  const settings = { PORT: '0', OUTDIAL_DATA_DIR: dir, OUTDIAL_RTP_PORTS: '13000-13998' }
  const demo = outdial(['demo', '--sip'], settings)
  t.after(() => demo.child.kill('SIGKILL'))
  await demo.line(becameOf25)
  const [, playable = ''] = await demo.line(/^ {2}play (.*\.wav)$/)
  const said = demo.out.join('\n')
  for (const row of [
    /Ada Okafor +\+12025550190 +1 {2}answered +sip 200/,
    /Carla Jimenez +\+13125550183 +2 {2}answered/,
    /Esther Lindqvist +\+16175550192 +3 {2}busy +sip 486/,
    /Greta Ostrander +\+13035550191 +1 {2}voicemail +answering machine/,
    /Oskar Brandt +\+442079460196 +1 {2}unreachable +sip 404/,
    /Quentin Abara +\+14165550195 +1 {2}declined +sip 603/,
    /Wendell Price +\+15045550197 +3 {2}carrier-failure +sip 503/,
  ])
    assert.match(said, row)

  const files = await readdir(join(dir, 'recordings'))
  assert.equal(files.length, 17 + 2, 'everybody who picked up, machines too')
  assert.ok(files.some(file => playable === join(dir, 'recordings', file)))
  let beeps = 0
  let cutShort = 0
  for (const file of files) {
    const { them, us } = sidesOf(await readFile(join(dir, 'recordings', file)))
    assert.ok(spoken(them) > 15, `${file}: they are heard`)
    assert.ok(spoken(us) > 10, `${file}: the agent is heard`)
    if (spoken(us) <= 150) cutShort++
    const beepAt = beepIn(them)
    if (beepAt === null) continue
    beeps++
    assert.ok(spoken(us.slice(beepAt)) > 150, 'the message is left after the tone')
  }
  assert.equal(beeps, 2)
  assert.equal(cutShort, 1, 'Samir Haddad alone hangs up while the agent says who it is')

  demo.child.kill('SIGTERM')
  assert.equal(await demo.exit, 0)
})

/** Frame by frame. */
function sidesOf(file: Buffer): { them: Uint8Array[]; us: Uint8Array[] } {
  const { samples } = readWav(file)
  const [them, us] = [0, 1].map(side => {
    const audio = pcmToUlaw(samples.filter((_, at) => at % 2 === side))
    return Array.from({ length: audio.length / frameBytes }, (_, at) =>
      audio.subarray(at * frameBytes, (at + 1) * frameBytes),
    )
  })
  return { them: them!, us: us! }
}

/** After which frame a beep was over; null: there is none. */
function beepIn(frames: readonly Uint8Array[]): number | null {
  const ear = createBeepEar()
  const at = frames.findIndex(frame => ear.hear(frame) !== null)
  return at === -1 ? null : at
}
