// The outbox on PostgreSQL: what is committed late is read late, but never passed over.
import assert from 'node:assert/strict'
import { describe, type TestContext, test } from 'node:test'
import type { Client } from 'pg'
import { outboxLock } from '../../src/store/postgres/outbox.ts'
import { openPostgresStore } from '../../src/store/postgres/postgres-store.ts'
import { inspect, newDatabase, skipWithoutPostgres } from './postgres-server.ts'
import { furnish, people, start } from './workbench.ts'

/** The way in which the store writes one (outbox.ts), in a transaction that the test holds. */
async function writeEvent(client: Client): Promise<number> {
  await client.query(
    `SELECT pg_advisory_xact_lock_shared(${outboxLock}, (last_value - 1)::integer) FROM event_ids`,
  )
  const { rows } = await client.query(
    `INSERT INTO events (id, workspace_id, type, at, data)
     SELECT nextval('event_ids'), id, 'workspace.updated', 0, '{}' FROM workspaces RETURNING id`,
  )
  return Number(rows[0].id)
}

const all = { limit: 99 }
const idsOf = (events: readonly { id: number }[]) => events.map(({ id }) => id)

async function openWorkspace(t: TestContext) {
  const url = await newDatabase()
  const store = await openPostgresStore({ url })
  t.after(() => store.close())
  return { url, store, bench: await furnish(store) }
}

describe('the outbox on PostgreSQL', { skip: skipWithoutPostgres }, () => {
  test('an event that is committed after a younger one is read before it: a cursor over ids alone would pass it over', async t => {
    const { url, store, bench } = await openWorkspace(t)
    await inspect(url, async slow => {
      await slow.query('BEGIN')
      const early = await writeEvent(slow)
      await store.setWorkspaceStopped(bench.workspace.id, true, start)
      const { rows } = await inspect(url, client => client.query('SELECT id FROM events'))
      const [late] = rows.map(({ id }) => Number(id))
      assert.ok(late! > early && rows.length === 1, 'a plain cursor would go on from here')
      assert.deepEqual(await store.listEvents(null, all), [])
      await slow.query('COMMIT')
      assert.deepEqual(idsOf(await store.listEvents(null, all)), [early, late])
    })
  })

  test('nor is it passed over for one of a transaction that is older than its own', async t => {
    const { url, store } = await openWorkspace(t)
    await inspect(url, older =>
      inspect(url, async younger => {
        await older.query('BEGIN')
        await older.query('SELECT pg_current_xact_id()')
        await younger.query('BEGIN')
        const first = await writeEvent(younger)
        const second = await writeEvent(older)
        await older.query('COMMIT')
        assert.deepEqual(await store.listEvents(null, all), [])
        await younger.query('COMMIT')
        assert.deepEqual(idsOf(await store.listEvents(null, all)), [first, second])
      }),
    )
  })

  test('an event that will never come holds nobody back', async t => {
    const { url, store, bench } = await openWorkspace(t)
    await inspect(url, async slow => {
      await slow.query('BEGIN')
      await writeEvent(slow)
      await store.setWorkspaceStopped(bench.workspace.id, true, start)
      await slow.query('ROLLBACK')
      assert.equal((await store.listEvents(null, all)).length, 1)
    })
  })

  test('events that an older transaction held back are told again, until they can be read', async t => {
    const { url, store, bench } = await openWorkspace(t)
    await inspect(url, async slow => {
      await slow.query('BEGIN')
      await writeEvent(slow)
      const told = () =>
        new Promise<void>(resolve => {
          const unsubscribe = store.onEvents(() => {
            unsubscribe()
            resolve()
          })
        })
      await store.setWorkspaceStopped(bench.workspace.id, true, start)
      for (let round = 0; round < 2; round++) {
        const again = told()
        assert.deepEqual(await store.listEvents(null, all), [])
        await again
      }
      await slow.query('COMMIT')
      assert.equal((await store.listEvents(null, all)).length, 2)
    })
  })

  test('a transaction that writes no events holds nobody back, however long it is', async t => {
    const { url, store, bench } = await openWorkspace(t)
    await inspect(url, async slow => {
      await slow.query('BEGIN')
      await slow.query('SELECT pg_current_xact_id()')
      await store.setWorkspaceStopped(bench.workspace.id, true, start)
      assert.equal((await store.listEvents(null, all)).length, 1)
    })
  })

  test('ids beyond 2^31 are read like others', async t => {
    const { url, store, bench } = await openWorkspace(t)
    await inspect(url, async slow => {
      await slow.query(`SELECT setval('event_ids', 3 * 2147483648 - 2)`)
      const stop = (stopped: boolean) => store.setWorkspaceStopped(bench.workspace.id, stopped, start)
      for (const stopped of [true, false, true]) await stop(stopped)
      const read = await store.listEvents(null, all)
      assert.deepEqual(
        idsOf(read),
        [-1, 0, 1].map(offset => 3 * 2 ** 31 + offset),
      )
      await slow.query('BEGIN')
      await slow.query(`SELECT pg_advisory_xact_lock_shared(${outboxLock}, 0)`)
      await stop(false)
      assert.deepEqual(idsOf(await store.listEvents(null, all)), idsOf(read).slice(0, 2))
    })
  })

  test('a deleted batch leaves no row in any table but its events', async t => {
    const { url, store, bench } = await openWorkspace(t)
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
