// The outbox on PostgreSQL: what is committed late is read late, but never passed over.
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { openPostgresStore } from '../../src/store/postgres/postgres-store.ts'
import { inspect, newDatabase, skipWithoutPostgres, untilWaiting } from './postgres-server.ts'
import { furnish, people, start } from './workbench.ts'

const insertEvent = `INSERT INTO events (xact, workspace_id, type, at, data)
  SELECT pg_current_xact_id(), id, 'workspace.updated', 0, '{}' FROM workspaces RETURNING id`

describe('the outbox on PostgreSQL', { skip: skipWithoutPostgres }, () => {
  test('an event that is committed after a younger one is read before it: a cursor over ids alone would pass it over', async t => {
    const url = await newDatabase()
    const store = await openPostgresStore({ url })
    t.after(() => store.close())
    const { id: workspaceId } = await store.createWorkspace('demo', start)
    await inspect(url, async slow => {
      await slow.query('BEGIN')
      const [early] = (await slow.query(insertEvent)).rows
      await store.setWorkspaceStopped(workspaceId, true, start)
      const committed = await inspect(url, async client => (await client.query('SELECT id FROM events')).rows)
      assert.equal(committed.length, 1)
      assert.ok(Number(committed[0].id) > Number(early.id), 'a plain cursor would go on from here')
      assert.deepEqual(await store.listEvents(null, { limit: 9 }), [])
      await slow.query('COMMIT')
      const events = await store.listEvents(null, { limit: 9 })
      assert.deepEqual(
        events.map(({ id }) => id),
        [Number(early.id), Number(committed[0].id)],
      )
    })
  })

  test('events that an older transaction of this node held back are told again when it is over', async t => {
    const url = await newDatabase()
    const store = await openPostgresStore({ url })
    t.after(() => store.close())
    const bench = await furnish(store)
    const { id } = await bench.import(1)
    const [call] = await bench.call()
    const seen = async () => (await bench.events(id)).length
    const before = await seen()
    await inspect(url, async client => {
      await client.query('BEGIN')
      await client.query('SELECT FROM open_attempts FOR UPDATE')
      const late = store.recordProgress([{ attemptId: call!.attemptId, status: 'ringing', at: start }])
      await untilWaiting(url)
      let told = 0
      store.onEvents(() => told++)
      await store.pauseBatch(bench.workspace.id, id, 'user', start)
      assert.deepEqual([told, await seen()], [1, before])
      await client.query('COMMIT')
      await late
      assert.deepEqual([told, await seen()], [2, before + 1])
    })
  })

  test('a deleted batch leaves no row in any table but its events', async t => {
    const url = await newDatabase()
    const store = await openPostgresStore({ url })
    t.after(() => store.close())
    const bench = await furnish(store)
    const rejected = { rowNumber: 4, status: 'invalid', code: 'blank', value: null } as const
    const { id } = await bench.import(people(3), {}, [rejected])
    await bench.end(await bench.call())
    await store.deleteBatch(bench.workspace.id, id, start)
    await inspect(url, async client => {
      const { rows } = await client.query(
        `SELECT table_name AS name FROM information_schema.columns
         WHERE column_name = 'batch_id' AND table_schema = 'public'`,
      )
      const tables = rows.map(({ name }) => String(name))
      assert.ok(tables.includes('recipients') && tables.includes('attempts'))
      const left: string[] = []
      for (const table of tables)
        if ((await client.query(`SELECT 1 FROM ${table} WHERE batch_id = ${id}`)).rowCount !== 0)
          left.push(table)
      assert.deepEqual(left, ['events'])
    })
  })
})
