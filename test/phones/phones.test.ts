// The street over real sockets: what a caller sees and hears of it.
import assert from 'node:assert/strict'
import { describe, type TestContext, test } from 'node:test'
import { plainDatagrams } from '../../src/carrier/rtp/datagrams.ts'
import { createPacer } from '../../src/carrier/rtp/pacer.ts'
import { readAnswer, writeOffer } from '../../src/carrier/sip/sdp.ts'
import { levelOf } from '../../src/media/amd.ts'
import { createBeepEar } from '../../src/media/beep.ts'
import { frameBytes, pcmToUlaw } from '../../src/media/g711.ts'
import { readWav } from '../../src/media/wav.ts'
import { beepWav } from '../../src/phones/beep-wav.ts'
import { openPhones } from '../../src/phones/phones.ts'
import { realClock } from '../../src/runtime/clock.ts'
import { silentLogger } from '../../src/runtime/logger.ts'
import { sweep } from '../media/sound.ts'
import { openTelephone } from '../rtp/telephone.ts'
import { openAgent, ring } from '../sip/ringing-agent.ts'

/** Louder than any line's noise. */
const speech = 150

async function openStreet(t: TestContext, firstRtpPort: number) {
  const log: string[] = []
  const logged = Promise.withResolvers<string>()
  const street = await openPhones({
    host: '127.0.0.1',
    port: 0,
    rtpPorts: { first: firstRtpPort, last: firstRtpPort + 98 },
    seed: 1,
    clock: realClock,
    logger: silentLogger,
    onCall(number, what) {
      log.push(`${number} ${what}`)
      logged.resolve(`${number} ${what}`)
    },
  })
  t.after(() => street.close())
  const agent = await openAgent(t)
  const dial = (number: string, more: Parameters<typeof ring>[2] = {}) =>
    ring(agent, [street.port], { requestUri: `sip:${number}@127.0.0.1`, ...more })
  return { street, log, logged: logged.promise, dial }
}

/** A caller with a line: what it hears comes from the street. */
async function talkingCaller(t: TestContext, firstRtpPort: number, number: string) {
  const { dial, street, logged } = await openStreet(t, firstRtpPort)
  const pacer = createPacer({ clock: realClock })
  const phone = await openTelephone(
    { clock: realClock, pacer, datagrams: plainDatagrams },
    firstRtpPort + 100,
  )
  t.after(async () => {
    await phone.line.close()
    pacer.close()
  })
  const local = {
    address: '127.0.0.1',
    port: phone.port,
    sessionId: '1',
    version: 1,
    codecs: ['PCMU'],
    srtpKey: null,
    direction: 'sendrecv',
  } as const
  const rung = dial(number, { sdpOffer: writeOffer(local) })
  phone.line.connect(readAnswer(await rung.answered, local)!)
  phone.line.answered()
  return { phone, rung, logged, street }
}

// They wait for people, not for the processor: all at once.
describe('a street of telephones', { concurrency: true }, () => {
  test('who does not pick up says so: status, cause, and when to come back', async t => {
    const { dial, log } = await openStreet(t, 25_000)
    const endings = ['86', '87', '92', '95', '96', '97', '98']
    const said = await Promise.all(endings.map(ending => dial(`+120255501${ending}`).ended))
    assert.deepEqual(
      said.map(({ sipStatus, q850 }) => [sipStatus, q850]),
      [
        [403, null],
        [608, null],
        [486, 17],
        [603, 21],
        [404, 1],
        [503, 38],
        [429, null],
      ],
    )
    assert.ok(log.includes('+12025550192 486 Busy Here'), log.join('\n'))
  })

  test('a caller who gives up while it rings is told 487, and one who hears nothing is told nothing', async t => {
    const { dial, log } = await openStreet(t, 25_100)
    const { call, ringing, ended } = dial('+12025550182')
    const silent = dial('+12025550184')
    await ringing
    call.hangUp()
    assert.equal((await ended).sipStatus, 487)
    assert.deepEqual(silent.provisional, [])
    assert.deepEqual(log, ['+12025550182 rang until the caller gave up'])
  })

  test('a person says hello, waits for the caller to finish, and presses a key instead of talking', async t => {
    const { phone, rung, logged } = await talkingCaller(t, 25_200, '+12025550189')
    await phone.until(() => phone.frames.some(frame => levelOf(frame) > speech))
    phone.leg.play(pcmToUlaw(sweep(8_000)))
    phone.leg.mark('said')
    await phone.until(() => phone.marks.includes('said'))
    assert.equal(phone.keys, '', 'nobody presses a key while they are talked to')
    await phone.until(() => phone.keys === '1')
    rung.call.hangUp()
    assert.equal((await rung.ended).sipStatus, 200)
    assert.match(await logged, /^\+12025550189 picked up, \d+\.\d s, the caller hung up$/)
  })

  test('a person who hangs up in mid-call does so by themselves', async t => {
    const { rung, logged } = await talkingCaller(t, 25_400, '+12025550199')
    assert.equal((await rung.ended).sipStatus, 200)
    assert.match(await logged, /^\+12025550199 picked up, \d+\.\d s, and hung up$/)
  })

  test("a machine's tone is one that is taken for a beep", () => {
    const silence = new Int16Array(8_000)
    const tone = pcmToUlaw(Int16Array.of(...readWav(beepWav()).samples, ...silence))
    const ear = createBeepEar()
    const heard = Array.from({ length: tone.length / frameBytes }, (_, at) =>
      ear.hear(tone.subarray(at * frameBytes, (at + 1) * frameBytes)),
    )
    assert.equal(heard.filter(beep => beep !== null).length, 1)
  })

  test('a street that closes hangs up whoever still talks', async t => {
    const { rung, street } = await talkingCaller(t, 25_800, '+12025550190')
    await street.close()
    assert.equal((await rung.ended).sipStatus, 200)
  })
})
