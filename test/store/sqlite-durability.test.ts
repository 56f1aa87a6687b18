// What the embedded store writes, and when: on disk before it is told, together where it can be, never half.
import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { type TestContext, test } from 'node:test'
import { Connection } from '../../src/store/sqlite/connection.ts'
import { openSqliteStore } from '../../src/store/sqlite/sqlite-store.ts'
import { furnish, newAgent, outcomeOf, people, start } from './workbench.ts'

function fileFor(t: TestContext): string {
  const folder = mkdtempSync(join(tmpdir(), 'outdial-sqlite-'))
  t.after(() => rmSync(folder, { recursive: true, force: true }))
  return join(folder, 'store.db')
}

/** A second connection, which sees only what is committed. */
function onlooker(t: TestContext, path: string) {
  const db = new DatabaseSync(path, { readOnly: true })
  t.after(() => db.close())
  return (sql: string) => db.prepare(sql).all()
}

test('a commit is synced in full, to a write-ahead log, with foreign keys checked', t => {
  const connection = new Connection(fileFor(t), queueMicrotask, Date.now)
  t.after(() => connection.close())
  const pragma = (name: string) => Object.values(connection.db.prepare(`PRAGMA ${name}`).get()!)[0]
  assert.deepEqual(['synchronous', 'journal_mode', 'foreign_keys'].map(pragma), [2, 'wal', 1])
})

test('an attempt is on disk, with its Call-ID, before placeCalls resolves', async t => {
  const path = fileFor(t)
  const store = await openSqliteStore({ path })
  t.after(() => store.close())
  const bench = await furnish(store)
  const look = onlooker(t, path)
  const onDisk = () => look('SELECT status, call_id FROM open_attempts').map(row => [row.status, row.call_id])
  await bench.import(1)
  const { claims } = await bench.claim()
  assert.deepEqual(onDisk(), [['claimed', null]])
  const placing = bench.place(claims)
  assert.deepEqual(onDisk(), [['claimed', null]], 'not yet: it waits for its group')
  await placing
  assert.deepEqual(onDisk(), [['dialing', `call-${claims[0]!.attemptId}`]])
  await bench.end(claims)
  assert.deepEqual(onDisk(), [])
  assert.deepEqual(
    look('SELECT disposition FROM attempts').map(row => row.disposition),
    ['answered'],
  )
})

test('one write that fails does not spoil the others of its group', async t => {
  const path = fileFor(t)
  const flushes: (() => void)[] = []
  const opening = openSqliteStore({ path, schedule: flush => void flushes.push(() => flush()) })
  const store = await opening
  t.after(() => store.close())
  const created = store.createWorkspace('demo', start)
  flushes.shift()?.()
  const { id } = await created
  const look = onlooker(t, path)
  const add = (name: string, aliases: string[]) => store.createAgent(newAgent(id, { name, aliases }))
  const group = [add('first', ['a']), add('second', ['b', 'a']), add('third', ['c'])]
  const settled = Promise.allSettled(group)
  assert.equal(flushes.length, 1, 'one commit for all of them')
  assert.deepEqual(look('SELECT name FROM agents'), [])
  flushes.shift()?.()
  assert.deepEqual(
    (await settled).map(({ status }) => status),
    ['fulfilled', 'rejected', 'fulfilled'],
  )
  await assert.rejects(group[1]!, { code: 'alias_taken' })
  assert.deepEqual(
    look('SELECT name FROM agents ORDER BY name').map(row => row.name),
    ['first', 'third'],
  )
  assert.deepEqual(
    look('SELECT alias FROM aliases ORDER BY alias').map(row => row.alias),
    ['a', 'c'],
  )
})

test('closing commits what waits', async t => {
  const path = fileFor(t)
  const store = await openSqliteStore({ path, schedule: () => {} })
  const created = store.createWorkspace('demo', start)
  await store.close()
  assert.equal((await created).name, 'demo')
  assert.equal(onlooker(t, path)('SELECT id FROM workspaces').length, 1)
})

test('a full disk refuses the write and leaves nothing of it; with room again the next one is kept', async t => {
  const connection = new Connection(fileFor(t), queueMicrotask, Date.now)
  t.after(() => connection.close())
  const insert = connection.prepare(
    'INSERT INTO workspaces (name, max_concurrent_calls, created_at, updated_at) VALUES (?, 1, 0, 0)',
  )
  const write = (name: string) => connection.write(() => void insert.run(name))
  const { page_count: pages } = connection.db.prepare('PRAGMA page_count').get() as { page_count: number }
  connection.db.exec(`PRAGMA max_page_count = ${pages}`)
  await assert.rejects(write('x'.repeat(100_000)), /full/)
  connection.db.exec('PRAGMA max_page_count = 100000')
  await write('kept')
  assert.deepEqual(
    connection
      .prepare('SELECT name FROM workspaces')
      .all()
      .map(({ name }) => name),
    ['kept'],
  )
})

test('a deleted batch leaves no row in any table but its events', async t => {
  const path = fileFor(t)
  const store = await openSqliteStore({ path })
  t.after(() => store.close())
  const bench = await furnish(store)
  const rejected = { rowNumber: 4, status: 'invalid', code: 'blank', value: null } as const
  const { id } = await bench.import(people(3), {}, [rejected])
  const retry = { kind: 'retry', dueAt: start } as const
  await bench.end(await bench.call(), { outcome: outcomeOf('busy'), next: retry })
  await bench.end(await bench.call())
  await store.deleteBatch(bench.workspace.id, id, start)
  const look = onlooker(t, path)
  const tables = look(`SELECT m.name FROM sqlite_schema m JOIN pragma_table_info(m.name) c
    WHERE m.type = 'table' AND c.name = 'batch_id'`).map(({ name }) => String(name))
  assert.ok(tables.includes('recipients') && tables.includes('attempts'))
  const left = tables.filter(table => look(`SELECT 1 FROM ${table} WHERE batch_id = ${id}`).length > 0)
  assert.deepEqual(left, ['events'])
})

test('answers that are a day old are swept with their keys', async t => {
  const path = fileFor(t)
  const store = await openSqliteStore({ path })
  t.after(() => store.close())
  const { workspace } = await furnish(store)
  const dayMs = 24 * 3_600_000
  for (const [key, now] of [
    ['old', start],
    ['young', start + 1],
  ] as const) {
    await store.reserveIdempotencyKey(workspace.id, key, 'body', now)
    await store.createAgent(newAgent(workspace.id), { key, answer: () => ({ status: 201, body: {} }) })
  }
  await store.sweep(start + dayMs)
  const keys = onlooker(t, path)('SELECT key FROM idempotency_keys').map(({ key }) => key)
  assert.deepEqual(keys, ['young'])
})
