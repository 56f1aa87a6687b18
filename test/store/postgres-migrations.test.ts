// How a PostgreSQL database comes to its schema: each step once and whole, by one node, and never one that is newer.
import assert from 'node:assert/strict'
import { readdirSync } from 'node:fs'
import { describe, test } from 'node:test'
import type { Conversation } from '../../src/domain/conversation.ts'
import { openPostgresStore } from '../../src/store/postgres/postgres-store.ts'
import type { Store } from '../../src/store/store.ts'
import { inspect, newDatabase, skipWithoutPostgres } from './postgres-server.ts'
import { assertCounted, furnish, person, start } from './workbench.ts'

const schemaOf = (url: string) =>
  inspect(url, async client => {
    const migrations = await client.query('SELECT * FROM schema_migrations ORDER BY version')
    const tables = await client.query(`SELECT relname FROM pg_class WHERE relkind = 'r' ORDER BY oid`)
    return [migrations.rows, tables.rows]
  })

const files = readdirSync('src/store/postgres/migrations').sort()
/** A version that this program does not know. */
const newer = files.length + 1

describe('migrations on PostgreSQL', { skip: skipWithoutPostgres }, () => {
  test('nodes that open an empty database together migrate it once', async () => {
    const url = await newDatabase({ migrated: false })
    const stores = await Promise.all([1, 2, 3, 4].map(() => openPostgresStore({ url })))
    const workspace = await stores[0]!.createWorkspace('demo', start)
    assert.deepEqual(await stores[3]!.listWorkspaces(), [workspace])
    await Promise.all(stores.map(store => store.close()))
    const [migrations] = await schemaOf(url)
    assert.deepEqual(
      migrations!.map(({ version, file }) => [version, file]),
      files.map((file, index) => [index + 1, file]),
    )
  })

  test('a database is migrated once: opened again it is as it was', async () => {
    const url = await newDatabase({ migrated: false })
    await (await openPostgresStore({ url })).close()
    const schema = await schemaOf(url)
    await (await openPostgresStore({ url })).close()
    assert.deepEqual(await schemaOf(url), schema)
  })

  test('a database of a newer program is refused and not touched', async () => {
    const url = await newDatabase()
    await inspect(url, client =>
      client.query(
        `INSERT INTO schema_migrations (version, file, checksum) VALUES (${newer}, 'later.sql', '')`,
      ),
    )
    const schema = await schemaOf(url)
    await assert.rejects(
      openPostgresStore({ url }),
      new RegExp(
        `the database has schema ${newer}, this Outdial knows ${newer - 1}: start the newer version that wrote it`,
      ),
    )
    assert.deepEqual(await schemaOf(url), schema)
  })

  test('a node that is running goes on while a newer one migrates', async t => {
    const url = await newDatabase()
    const store = await openPostgresStore({ url })
    t.after(() => store.close())
    // So that all its statements are prepared already.
    await carryOut(store)
    await inspect(url, async client => {
      const { rows } = await client.query(
        `SELECT relname FROM pg_class WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace`,
      )
      for (const { relname } of rows)
        await client.query(`ALTER TABLE ${relname} ADD COLUMN colour text NOT NULL DEFAULT 'blue'`)
      await client.query(`CREATE TABLE later (id bigint PRIMARY KEY);
        INSERT INTO schema_migrations (version, file, checksum) VALUES (${newer}, 'later.sql', '')`)
    })
    await carryOut(store)
  })

  test('a schema that another program made is refused', async () => {
    const url = await newDatabase()
    await inspect(url, client =>
      client.query(`UPDATE schema_migrations SET checksum = 'other' WHERE version = 1`),
    )
    await assert.rejects(
      openPostgresStore({ url }),
      /made by another 0001-first-batch\.sql than this Outdial's/,
    )
  })

  test('a migration that fails leaves nothing of itself', async () => {
    const url = await newDatabase({ migrated: false })
    // The last table of the schema is there already.
    await inspect(url, client => client.query('CREATE TABLE nodes (id text)'))
    await assert.rejects(openPostgresStore({ url }), /migration 0001-first-batch\.sql failed/)
    const [migrations, tables] = await schemaOf(url)
    assert.deepEqual(migrations, [])
    assert.ok(!tables!.some(({ relname }) => relname === 'workspaces'))
    await inspect(url, client => client.query('DROP TABLE nodes'))
    await (await openPostgresStore({ url })).close()
  })

  test('a database that does not answer is an error, not a wait', async () => {
    await assert.rejects(openPostgresStore({ url: 'postgresql://nobody@127.0.0.1:9/none' }), {
      code: 'ECONNREFUSED',
    })
  })
})

/** A batch from its list to its end, and everything that is read of it. */
async function carryOut(store: Store): Promise<void> {
  const bench = await furnish(store)
  const { workspace, agent, trunk, phoneNumber } = bench
  const { id } = await bench.import(3, { open: true })
  await store.suppress(workspace.id, [person(9).number], 'asked', start)
  await store.addRecipients(workspace.id, id, [person(9), person(10)], [], 2, start)
  const calls = await bench.call()
  assert.equal(calls.length, 4)
  assert.equal((await bench.openAttempts()).length, 4)
  const conversation = {
    transcript: [],
    results: {},
    recordingFile: null,
    recordingBytes: null,
    line: {},
  } as unknown as Conversation
  await bench.end(calls.slice(1), { conversation })
  assert.deepEqual(await bench.standings(id), ['calling', 'answered', 'answered', 'answered'])
  assert.equal((await store.listAttempts(workspace.id, {}, { limit: 9 })).length, 4)
  assert.deepEqual((await store.findAttempt(workspace.id, calls[1]!.attemptId))?.conversation, conversation)
  assert.deepEqual(await store.getAgent(agent.id), agent)
  assert.deepEqual(await store.getTrunk(trunk.id), trunk)
  assert.deepEqual(await store.listPhoneNumbers(workspace.id, { limit: 9 }), [phoneNumber])
  assert.deepEqual(await store.getWorkspace(workspace.id), workspace)
  assert.equal((await store.listSuppressions(workspace.id, { limit: 9 })).length, 1)
  assert.equal((await store.listIngestRows(workspace.id, id, {}, { limit: 9 })).length, 5)
  assert.ok((await bench.events(id)).includes('recipients.added'))
  await store.listNodes()
  await bench.end(calls.slice(0, 1))
  await assertCounted(bench, id)
}
