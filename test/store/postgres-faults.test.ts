// What the PostgreSQL store does when the database, the way to it or another transaction fails it.
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { connect, createServer, type Socket } from 'node:net'
import { describe, type TestContext, test } from 'node:test'
import { Client } from 'pg'
import { openPostgresStore } from '../../src/store/postgres/postgres-store.ts'
import { CommitUnknown, Transaction } from '../../src/store/postgres/transaction.ts'
import type { Store } from '../../src/store/store.ts'
import { inspect, newDatabase, skipWithoutPostgres, untilWaiting } from './postgres-server.ts'
import { assertCounted, furnish, newAgent, start } from './workbench.ts'

async function openStore(t: TestContext, url: string): Promise<Store> {
  const store = await openPostgresStore({ url })
  t.after(() => store.close())
  return store
}

/** The way to the database, which can be cut at a COMMIT. */
async function breakableWay(t: TestContext, url: string) {
  const sockets = new Set<Socket>()
  let cutAt: 'before' | 'after' | null = null
  const { hostname, port } = new URL(url)
  const server = createServer(near => {
    const far = connect(Number(port), hostname)
    for (const socket of [near, far]) {
      sockets.add(socket)
      socket.on('error', () => {})
    }
    near.on('data', bytes => {
      const cut = cutAt !== null && bytes.includes('COMMIT\0') ? cutAt : null
      if (cut !== 'before') far.write(bytes)
      if (cut === null) return
      cutAt = null
      near.destroy()
      far.end()
    })
    far.on('data', bytes => void near.write(bytes))
    near.on('close', () => far.end())
    far.on('close', () => near.destroy())
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const close = () => {
    for (const socket of sockets) socket.destroy()
    server.close()
  }
  t.after(close)
  const target = new URL(url)
  target.port = String((server.address() as { port: number }).port)
  return {
    url: target.href,
    close,
    async open() {
      server.listen(Number(target.port), '127.0.0.1')
      await once(server, 'listening')
    },
    cutNextCommit(when: 'before' | 'after') {
      cutAt = when
    },
  }
}

const terminate = (client: Client, condition: string) =>
  client.query(
    `SELECT pg_terminate_backend(pid) FROM pg_stat_activity
     WHERE datname = current_database() AND application_name = 'outdial' AND ${condition}`,
  )

describe('PostgreSQL that fails', { skip: skipWithoutPostgres }, () => {
  test('a commit without an answer is said to be unknown, and reading tells', async t => {
    const url = await newDatabase()
    const way = await breakableWay(t, url)
    const store = await openStore(t, way.url)
    const { id } = await store.createWorkspace('demo', start)
    way.cutNextCommit('before')
    await assert.rejects(store.createAgent(newAgent(id, { name: 'never arrived' })), CommitUnknown)
    assert.deepEqual(await store.listAgents(id, { limit: 9 }), [])
    way.cutNextCommit('after')
    await assert.rejects(store.createAgent(newAgent(id, { name: 'arrived' })), CommitUnknown)
    const [agent] = await untilFound(() => store.listAgents(id, { limit: 9 }))
    assert.equal(agent?.name, 'arrived')
  })

  test('a database that is gone is said to be unavailable, with what to do, and answers again when it is back', async t => {
    const url = await newDatabase()
    const way = await breakableWay(t, url)
    const store = await openStore(t, way.url)
    const { id } = await store.createWorkspace('demo', start)
    way.close()
    const unavailable = { kind: 'unavailable', code: 'store_unavailable', message: /DATABASE_URL|connection/ }
    await assert.rejects(store.getWorkspace(id), unavailable)
    await assert.rejects(store.createAgent(newAgent(id)), unavailable)
    await way.open()
    assert.equal((await store.getWorkspace(id))?.name, 'demo')
  })

  test('connections that the server ends are replaced, and what was refused was not done', async t => {
    const url = await newDatabase()
    const store = await openStore(t, url)
    const bench = await furnish(store)
    const { id } = await bench.import(3)
    await inspect(url, client => terminate(client, 'true'))
    const claims = await bench.claim().catch((error: Error) => error)
    if (claims instanceof Error) assert.equal(await store.countOpenAttempts(), 0)
    assert.equal((await bench.claim()).claims.length, claims instanceof Error ? 3 : 0)
    await assertCounted(bench, id)
  })

  test('the listening connection comes back by itself, and says that something may have been missed', async t => {
    const url = await newDatabase()
    const store = await openStore(t, url)
    const { id } = await store.createWorkspace('demo', start)
    const other = await openStore(t, url)
    const heard = () => new Promise<void>(resolve => void store.onWork(resolve))
    const again = heard()
    await inspect(url, client => terminate(client, `query LIKE 'LISTEN%'`))
    await again
    const work = heard()
    await other.setWorkspaceStopped(id, true, start)
    await work
  })

  test('transactions that block each other are run again, and nobody hears of it', async t => {
    const url = await newDatabase()
    const bench = await furnish(await openStore(t, url))
    const ids = [(await bench.import(1)).id, (await bench.import(1)).id]
    const calls = await bench.call()
    assert.equal(calls.length, 2)
    await inspect(url, async client => {
      const lock = (id: number) =>
        client.query('SELECT FROM batch_progress WHERE batch_id = $1 FOR UPDATE', [id])
      await client.query('BEGIN')
      await lock(ids[1]!)
      const ending = bench.end(calls)
      await untilWaiting(url)
      // Whichever of us the server gives up: the ends are recorded, once.
      await lock(ids[0]!).catch((error: { code: string }) => assert.equal(error.code, '40P01'))
      await client.query('ROLLBACK')
      assert.deepEqual(await ending, { completed: ids, recorded: [true, true] })
    })
    for (const id of ids) await assertCounted(bench, id)
  })

  test('of statements that travel together whoever waits hears why the first failed, not that the rest were refused', async t => {
    const client = new Client({ connectionString: await newDatabase(), pipeline: true })
    await client.connect()
    t.after(() => client.end())
    const tx = new Transaction(client, 'test', 'BEGIN')
    await tx.rows('SELECT 1 AS begun')
    const threeDeep = async () => await (async () => await tx.rows('SELECT 1 / 0 AS failing'))()
    await assert.rejects(Promise.all([threeDeep(), tx.rows('SELECT 1 AS refused')]), /division by zero/)
    assert.equal(await tx.rollback(), true)
  })

  test('text with a sign that PostgreSQL cannot hold is kept with another in its place', async t => {
    const store = await openStore(t, await newDatabase())
    const { id } = await store.createWorkspace('a\0b', start)
    assert.equal((await store.getWorkspace(id))?.name, 'a\ufffdb')
    assert.equal(await store.findAgent(id, '\0'), null)
  })

  test('a database that answers before a commit is on disk is refused: it can forget calls', async () => {
    const url = await newDatabase()
    await inspect(url, client =>
      client.query(`ALTER DATABASE ${new URL(url).pathname.slice(1)} SET synchronous_commit = off`),
    )
    await assert.rejects(openPostgresStore({ url }), /synchronous_commit = off.*Set it to on/)
  })
})

/** What the server does after the cut is not for us to await. */
async function untilFound<T>(look: () => Promise<T[]>): Promise<T[]> {
  for (;;) {
    const found = await look()
    if (found.length > 0) return found
  }
}
