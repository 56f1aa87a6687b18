// The whole server: simulated calls are told to four receivers in four formats, each verified as its clients do.
import assert from 'node:assert/strict'
import { createHmac } from 'node:crypto'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { Webhook } from 'standardwebhooks'
import { type App, startApp } from '../../src/app.ts'
import { readConfig } from '../../src/config.ts'
import { silentLogger } from '../../src/runtime/logger.ts'
import { type Received, Receiver } from './receiver.ts'

const apiKey = 'key-of-the-webhook-tests'
const calls = 12

async function startServer(t: TestContext): Promise<App> {
  const dataDir = await mkdtemp(join(tmpdir(), 'outdial-webhooks-'))
  const config = readConfig({
    PORT: '0',
    OUTDIAL_DATA_DIR: dataDir,
    OUTDIAL_API_KEY: apiKey,
    OUTDIAL_SIM_SPEED: '100',
    OUTDIAL_SIM_ANSWER_RATE: '1',
    OUTDIAL_WEBHOOK_ALLOW_PRIVATE: 'true',
    OUTDIAL_PUBLIC_URL: 'https://calls.example.com',
  })
  const app = await startApp(config, silentLogger)
  t.after(async () => {
    await app.stop(0)
    await rm(dataDir, { recursive: true, force: true })
  })
  return app
}

async function post<Answer>(app: App, path: string, body: object): Promise<Answer> {
  const headers = { authorization: `Bearer ${apiKey}`, 'content-type': 'application/json' }
  const answer = await fetch(`${app.url}/api/v1${path}`, {
    method: 'POST',
    headers,
    body: JSON.stringify(body),
  })
  assert.ok(answer.ok, `${path}: ${answer.status}`)
  return (await answer.json()) as Answer
}

/** A receiver of one format, and a promise of its first `count` messages. */
async function receiverOf(t: TestContext, app: App, format: string, count: number) {
  const receiver = await Receiver.open(t)
  const { promise, resolve } = Promise.withResolvers<void>()
  receiver.answer = () => {
    if (receiver.received.length >= count) resolve()
    return {}
  }
  const { secret } = await post<{ secret: string }>(app, '/webhook-endpoints', { url: receiver.url, format })
  return { secret, received: promise.then(() => receiver.received) }
}

const isSigned = ({ headers, body }: Received, header: string, prefix: string, secret: string) =>
  headers[header] === prefix + createHmac('sha256', secret).update(body).digest('hex')

test('calls are told in four formats at once, and each verifies', async t => {
  const app = await startServer(t)
  await post(app, '/agents', { name: 'Ann', aliases: ['ann'] })
  await post(app, '/phone-numbers', { e164: '+12025550100', agentId: 'ann' })
  // Ours: created, started, the calls, completed.
  const ours = await receiverOf(t, app, 'outdial', calls + 3)
  const formant = await receiverOf(t, app, 'formant', calls)
  const dialnexa = await receiverOf(t, app, 'dialnexa', calls + 1)
  const talkifai = await receiverOf(t, app, 'talkifai', 2 * calls)
  const recipients = Array.from({ length: calls }, (_, index) => ({ phone: `+1202555${1_000 + index}` }))
  await post(app, '/batches', { agentId: 'ann', recipients })

  const told = await ours.received
  const verified = told.map(({ headers, body }) =>
    new Webhook(ours.secret).verify(body, headers as Record<string, string>),
  ) as { type: string; data: { call?: { number: string } } }[]
  assert.deepEqual(
    [verified[0]?.type, verified[1]?.type, verified.at(-1)?.type],
    ['batch.created', 'batch.started', 'batch.completed'],
  )
  const numbers = verified.flatMap(({ data }) => data.call?.number ?? [])
  assert.deepEqual(
    numbers.sort(),
    recipients.map(({ phone }) => phone),
  )
  for (const one of await formant.received)
    assert.ok(isSigned(one, 'x-formantai-signature', 'sha256=', formant.secret))
  for (const one of await dialnexa.received)
    assert.ok(isSigned(one, 'x-dialnexa-signature', '', dialnexa.secret))
  assert.equal(JSON.parse((await dialnexa.received).at(-1)!.body).event, 'campaign.completed')
  const talked = await talkifai.received
  for (const one of talked) assert.ok(isSigned(one, 'x-talkifai-signature', 'sha256=', talkifai.secret))
  const started = talked.filter(({ body }) => JSON.parse(body).type === 'call.started')
  assert.equal(started.length, calls)

  const metrics = await (await fetch(`${app.url}/metrics`)).text()
  assert.match(metrics, /outdial_webhook_tries_total\{result="delivered"\} \d+/)
  assert.match(metrics, /outdial_webhook_oldest_undelivered_seconds [\d.]+/)
})
