// Agents that are asked over HTTP where their stream is: TwiML, its signature, and what can be wrong with it.
import assert from 'node:assert/strict'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { type TestContext, test } from 'node:test'
import fc from 'fast-check'
import { createConnectAgent } from '../../src/agent/connect-agent.ts'
import { signRequest } from '../../src/agent/media-stream/signature.ts'
import { callSidOf } from '../../src/agent/media-stream/twilio-ids.ts'
import { readTwiml } from '../../src/agent/media-stream/twiml.ts'
import { realClock } from '../../src/runtime/clock.ts'
import { VirtualClock } from '../../src/runtime/virtual-clock.ts'
import { FakeCallLeg } from './fake-call-leg.ts'
import { toneSpeech } from './scripted-speech.ts'
import { openSilentListener } from './silent-listener.ts'
import { openSocketServer } from './socket-server.ts'

const connect = createConnectAgent({ clock: realClock, speech: toneSpeech })
const timeout = 30_000

test("a webhook is told of the call in Twilio's form fields, signed, and its stream is opened", {
  timeout,
}, async t => {
  const bot = await openSocketServer(() => {})
  t.after(bot.close)
  const webhook = await openWebhook(
    t,
    200,
    twimlOf(`${bot.url}/stream?a=1&amp;b=2`, { plan: 'gold &amp; more', name: 'of TwiML' }),
  )
  const leg = new FakeCallLeg({ variables: { name: 'Maria', city: 'Rome' } })
  const settings = { kind: 'media-stream' as const, webhookUrl: webhook.url, authToken: 'secret' }
  leg.session = await connect(leg, settings)
  leg.session.answered()
  const peer = await bot.peer(0)
  assert.equal(peer.request.url, '/stream?a=1&b=2')
  const start = (await peer.message(message => message.event === 'start')).start as Record<string, unknown>
  assert.deepEqual(start.customParameters, { name: 'of TwiML', city: 'Rome', plan: 'gold & more' })
  const { form, signature } = webhook.requests[0]!
  assert.deepEqual(
    [form.From, form.To, form.CallSid, form.CallStatus, form.ApiVersion],
    [leg.from, leg.to, callSidOf('call-1'), 'in-progress', '2010-04-01'],
  )
  assert.equal(signature, signRequest('secret', webhook.url, form))
  leg.session.close()
})

test('a webhook that fails or has no stream to offer is an agent that cannot be reached', {
  timeout,
}, async t => {
  const answers: [number, string, RegExp][] = [
    [500, 'oops', /status 500/],
    [404, '', /status 404/],
    [200, '<Response><Hangup/></Response>', /no <Connect><Stream url>/],
    [200, '{"error":"json"}', /no <Connect><Stream url>/],
    [200, twimlOf('https://example.org', {}), /no ws:\/\/ or wss:\/\/ URL/],
    [200, `<Response>${' '.repeat(70_000)}</Response>`, /longer than/],
  ]
  for (const [status, body, words] of answers) {
    const { url } = await openWebhook(t, status, body)
    await assert.rejects(connect(new FakeCallLeg(), { kind: 'media-stream', webhookUrl: url }), words)
  }
})

test('a webhook that cannot be reached, or never answers, is named as such', { timeout }, async t => {
  const listener = await openSilentListener()
  t.after(listener.close)
  const clock = new VirtualClock(0)
  const settings = {
    kind: 'media-stream' as const,
    webhookUrl: `http://127.0.0.1:${listener.port}/`,
    connectTimeoutMs: 2_000,
  }
  const reached = createConnectAgent({ clock, speech: toneSpeech })(new FakeCallLeg(), settings)
  const refused = assert.rejects(reached, /webhook did not answer within 2000 ms/)
  await listener.approached
  await clock.run({ until: 2_000 })
  await refused
  const gone = await openSilentListener()
  await gone.close()
  settings.webhookUrl = `http://127.0.0.1:${gone.port}/`
  await assert.rejects(connect(new FakeCallLeg(), settings), /webhook cannot be reached: ECONNREFUSED/)
})

test("the signature is Twilio's: the documented example gives the documented value", () => {
  const fields = {
    CallSid: 'CA1234567890ABCDE',
    Caller: '+14158675309',
    Digits: '1234',
    From: '+14158675309',
    To: '+18005551212',
  }
  const url = 'https://mycompany.com/myapp.php?foo=1&bar=2'
  assert.equal(signRequest('12345', url, fields), 'RSOYDt4T1cUTdK1PDd93/VVr8B8=')
})

test('TwiML is read with either quotes, comments, line breaks and further verbs around the stream', () => {
  const target = readTwiml(`<?xml version="1.0"?>
    <!-- <Connect><Stream url="wss://commented.example"/></Connect> -->
    <Response><Say>Hello</Say>
      <Connect action='/done'>
        <Stream name="x" url='wss://bot.example/s?a=1&#38;b=2' track="inbound_track">
          <Parameter value="1 &lt; 2" name="sum"/><Parameter name='n' value='&#x4e;'></Parameter>
          <Parameter name="no value"/>
        </Stream>
      </Connect></Response>`)
  assert.deepEqual(target, { url: 'wss://bot.example/s?a=1&b=2', parameters: { sum: '1 < 2', n: 'N' } })
})

test('any text is TwiML with a stream or is refused in one sentence, quickly', () => {
  const pieces = fc.constantFrom(
    '<Response>',
    '<Connect>',
    '<Connect',
    '<Stream url="wss://a.b"',
    '/>',
    '</Stream>',
    '<!--',
    '-->',
    '&#9999999;',
    ' ',
    '"',
    'x',
  )
  fc.assert(
    fc.property(fc.array(pieces, { maxLength: 2_000 }), parts => {
      try {
        assert.match(readTwiml(parts.join('')).url, /^wss?:/)
      } catch (error) {
        assert.match((error as Error).message, /TwiML.*\.$/)
      }
    }),
    { numRuns: 200 },
  )
})

async function openWebhook(t: TestContext, status: number, body: string) {
  const requests: { form: Record<string, string>; signature: unknown }[] = []
  const server = createServer(async (request, response) => {
    const chunks: Buffer[] = []
    for await (const chunk of request) chunks.push(chunk as Buffer)
    const form = Object.fromEntries(new URLSearchParams(Buffer.concat(chunks).toString()))
    requests.push({ form, signature: request.headers['x-twilio-signature'] })
    response.writeHead(status, { 'content-type': 'text/xml', connection: 'close' }).end(body)
  })
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  t.after(() => new Promise(resolve => server.close(resolve)))
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/twiml?x=1`, requests }
}

function twimlOf(url: string, parameters: Record<string, string>): string {
  const lines = Object.entries(parameters).map(
    ([name, value]) => `<Parameter name="${name}" value="${value}"/>`,
  )
  return `<Response><Connect><Stream url="${url}">${lines.join('')}</Stream></Connect></Response>`
}
