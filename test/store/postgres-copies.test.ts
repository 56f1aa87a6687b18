// How a database is recognised that is not the one it was: a copy of it, or what a restore in its place has made of it.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { openPostgresStore } from '../../src/store/postgres/postgres-store.ts'
import { inspect, newDatabase, skipWithoutPostgres } from './postgres-server.ts'
import { furnish } from './workbench.ts'

const options = { skip: skipWithoutPostgres }

test('a database that was copied is held', options, async () => {
  const url = await newDatabase()
  const bench = await furnish(await openPostgresStore({ url }))
  await bench.import(1)
  await bench.store.close()
  const again = await openPostgresStore({ url })
  assert.equal(await again.getHold(), null)
  await again.close()
  const name = new URL(url).pathname.slice(1)
  const copyUrl = new URL(url)
  copyUrl.pathname = `/${name}_copy`
  const admin = new URL(url)
  admin.pathname = '/postgres'
  await inspect(admin.href, client => client.query(`CREATE DATABASE ${name}_copy TEMPLATE ${name}`))
  const copy = await openPostgresStore({ url: copyUrl.href })
  assert.equal((await copy.getHold())?.reason, 'copy')
  await copy.close()
  await inspect(admin.href, client => client.query(`DROP DATABASE ${name}_copy`))
})

test(
  'nodes whose database came back as another are held from their first new connection on',
  options,
  async t => {
    const url = await newDatabase()
    const bench = await furnish(await openPostgresStore({ url }))
    t.after(() => bench.store.close())
    await bench.import(2)
    // What a recovery to a point in time does: the time line is another, and every connection breaks.
    await inspect(url, async client => {
      const [cluster, timeline, database] = (
        await client.query<{ identity: string }>('SELECT identity FROM store_state')
      ).rows[0]!.identity.split(':')
      assert.match(timeline!, /^[0-9A-F]{8}$/)
      await client.query('UPDATE store_state SET identity = $1', [`${cluster}:00000009:${database}`])
      await client.query(
        `SELECT pg_terminate_backend(pid) FROM pg_stat_activity
       WHERE datname = current_database() AND pid <> pg_backend_pid()`,
      )
    })
    const { claims } = await bench.claim().catch(() => bench.claim())
    assert.deepEqual(claims, [])
    assert.equal((await bench.store.getHold())?.reason, 'copy')
    await bench.store.liftHold()
    assert.equal((await bench.claim()).claims.length, 2)
  },
)
