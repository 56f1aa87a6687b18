// Several whole servers on one PostgreSQL: a batch that one takes in is called by all who call, each person once.
import assert from 'node:assert/strict'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, type TestContext, test } from 'node:test'
import { type App, startApp } from '../../src/app.ts'
import { readConfig } from '../../src/config.ts'
import { DatabaseUnusable } from '../../src/open-store.ts'
import { silentLogger } from '../../src/runtime/logger.ts'
import { newDatabase, skipWithoutPostgres } from '../store/postgres-server.ts'

const apiKey = 'key-of-the-shared-database'
const people = 200
/** None ends in 80 to 99, which makes simulated telephones misbehave. */
const numberOf = (index: number) => `+1202${5_550_000 + Math.floor(index / 80) * 100 + (index % 80)}`

async function startNode(t: TestContext, databaseUrl: string, role: string): Promise<App> {
  const dataDir = await mkdtemp(join(tmpdir(), 'outdial-shared-'))
  t.after(() => rm(dataDir, { recursive: true, force: true }))
  const settings = {
    PORT: '0',
    OUTDIAL_API_KEY: apiKey,
    OUTDIAL_SIM_SPEED: '200',
    OUTDIAL_SIM_ANSWER_RATE: '1',
  }
  const config = readConfig({
    ...settings,
    DATABASE_URL: databaseUrl,
    OUTDIAL_DATA_DIR: dataDir,
    OUTDIAL_ROLE: role,
  })
  const app = await startApp(config, silentLogger)
  t.after(() => app.stop(0))
  return app
}

function clientOf(app: App) {
  return async <Answer>(method: string, path: string, body?: object): Promise<Answer> => {
    const response = await fetch(`${app.url}/api/v1${path}`, {
      method,
      headers: { authorization: `Bearer ${apiKey}`, 'content-type': 'application/json' },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    })
    const answer = (await response.json()) as Answer
    assert.ok(response.ok, JSON.stringify(answer))
    return answer
  }
}

describe('servers on one PostgreSQL', { skip: skipWithoutPostgres }, () => {
  test('nodes that start together on an empty database call one batch together, each person once', async t => {
    const url = await newDatabase({ migrated: false })
    const apps = await Promise.all(['api', 'caller', 'caller'].map(role => startNode(t, url, role)))
    assert.equal(new Set(apps.map(({ workspaceId }) => workspaceId)).size, 1, 'one workspace for all')
    const [api, ...callers] = apps as [App, App, App]
    const { store } = api.deps
    const send = clientOf(api)
    await send('PATCH', '/workspace', { maxConcurrentCalls: 40 })
    await send('POST', '/agents', { name: 'Ann', aliases: ['ann'] })
    await send('POST', '/phone-numbers', { e164: '+12025550100', agentId: 'ann', aliases: ['ann-number'] })
    const ended = new Promise<void>(resolve => {
      const look = async () => {
        const events = await store.listEvents(null, { limit: 10_000 })
        if (events.some(({ type }) => type === 'batch.completed')) resolve()
      }
      store.onEvents(() => void look())
    })
    const batch = await send<{ id: number }>('POST', '/batches', {
      name: 'shared',
      agentId: 'ann',
      phoneNumberId: 'ann-number',
      contacts: Array.from({ length: people }, (_, index) => ({ phone: numberOf(index) })),
    })
    await ended
    const done = await store.getBatch(api.workspaceId, batch.id)
    assert.equal(done?.status, 'completed')
    const attempts = await store.listAttempts(api.workspaceId, { batchId: batch.id }, { limit: 10_000 })
    assert.equal(new Set(attempts.map(({ recipientId }) => recipientId)).size, people)
    assert.equal(new Set(attempts.map(({ callId }) => callId)).size, attempts.length)
    assert.deepEqual(await store.recount(batch.id), done?.progress)
    const { data: nodes } = await send<{ data: { role: string; status: string }[] }>('GET', '/nodes')
    assert.deepEqual(nodes.map(({ role, status }) => `${role} ${status}`).sort(), [
      'api alive',
      'caller alive',
      'caller alive',
    ])
    assert.equal(callers.length, 2)
  })

  test('a database that cannot be used ends the start with a sentence that names no password', async t => {
    await assert.rejects(
      startNode(t, 'postgresql://outdial:hunter2@127.0.0.1:9/calls', 'all'),
      (error: unknown) => {
        assert.ok(error instanceof DatabaseUnusable)
        assert.match(
          error.message,
          /^The database calls at 127\.0\.0\.1:9 cannot be used: connect ECONNREFUSED/,
        )
        assert.doesNotMatch(JSON.stringify([error.message, error.stack, error.cause]), /hunter2/)
        return true
      },
    )
  })
})
