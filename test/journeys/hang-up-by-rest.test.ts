// A batch whose bot was written for Twilio: it talks over Media Streams and ends the call over Twilio's REST route.
import assert from 'node:assert/strict'
import { openSocketServer, type Peer } from '../agent/socket-server.ts'
import { peerTest, startSipp } from '../sip/peers.ts'
import { realCalls } from './real-calls.ts'

const authToken = 'the-secret-of-this-bot'

peerTest(
  'a bot hangs up by REST what it heard of in `start`: the call is answered and ended, and its second try finds none',
  ['sipp'],
  async t => {
    const peer = await startSipp(t, { scenario: 'street', calls: 3, args: ['-mi', '127.0.0.1', '-rtp_echo'] })
    const answers: { status: number; body: Record<string, unknown> }[] = []
    const bots: Promise<void>[] = []
    const bot = await openSocketServer(stream => void bots.push(hangUpAfterSound(stream)))
    t.after(() => bot.close())
    const server = await realCalls(t, {
      sipPort: peer.port,
      firstRtpPort: 24_400,
      connection: { kind: 'media-stream', url: bot.url, authToken },
    })
    const post = async ({ accountSid, callSid }: Record<string, string>, token: string, fields: object) => {
      const response = await fetch(
        `${server.app.url}/2010-04-01/Accounts/${accountSid}/Calls/${callSid}.json`,
        {
          method: 'POST',
          headers: { authorization: `Basic ${Buffer.from(`${accountSid}:${token}`).toString('base64')}` },
          body: new URLSearchParams({ ...fields }),
        },
      )
      return { status: response.status, body: (await response.json()) as Record<string, unknown> }
    }
    async function hangUpAfterSound(stream: Peer): Promise<void> {
      const { start } = (await stream.message(({ event }) => event === 'start')) as never
      await stream.message(({ event }) => event === 'media')
      answers.push(await post(start, 'a guess', { Status: 'completed' }))
      answers.push(await post(start, authToken, { Twiml: '<Response/>' }))
      answers.push(await post(start, authToken, { Status: 'completed' }))
      answers.push(await post(start, authToken, { Status: 'completed' }))
    }
    const batch = await server.callEverybody(
      [2, 3, 4].map(digit => ({ phone: `+1202555${digit}200` })),
      { retry: { maxAttempts: 1 } },
    )
    assert.deepEqual([batch.status, batch.counts.answered], ['completed', 3], JSON.stringify(batch.attempts))
    for (const { outcome, talkMs } of batch.attempts) {
      assert.equal(outcome.disposition, 'answered')
      assert.ok(talkMs! < 5_000, `hung up by the bot, not by a time-out: ${talkMs} ms`)
    }
    assert.equal(await peer.done, '', 'the callee heard BYE')
    await Promise.all(bots)
    const told = answers.map(({ status, body }) => `${status} ${body.code ?? body.status}`).sort()
    const each = ['200 completed', '400 20001', '401 20003', '404 20404']
    assert.deepEqual(
      told,
      each.flatMap(line => [line, line, line]),
    )
  },
)
