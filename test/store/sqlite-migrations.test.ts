// How a database comes to its schema: each step once and whole, and never one that is newer than the program.
import assert from 'node:assert/strict'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { type TestContext, test } from 'node:test'
import { openSqliteStore } from '../../src/store/sqlite/sqlite-store.ts'
import { start } from './workbench.ts'

function fileFor(t: TestContext): string {
  const folder = mkdtempSync(join(tmpdir(), 'outdial-migrations-'))
  t.after(() => rmSync(folder, { recursive: true, force: true }))
  return join(folder, 'store.db')
}

/** Looks into the file, or prepares it, on a connection of its own. */
function inspect<T>(path: string, look: (db: DatabaseSync) => T): T {
  const db = new DatabaseSync(path)
  try {
    return look(db)
  } finally {
    db.close()
  }
}

const schemaOf = (path: string) =>
  inspect(path, db => ({
    version: db.prepare('PRAGMA user_version').get()?.user_version as number,
    tables: db
      .prepare(`SELECT name FROM sqlite_schema WHERE type = 'table'`)
      .all()
      .map(({ name }) => name),
  }))

test('a database is migrated once: opened again it is as it was', async t => {
  const path = fileFor(t)
  const first = await openSqliteStore({ path })
  const workspace = await first.createWorkspace('demo', start)
  await first.close()
  const schema = schemaOf(path)
  assert.ok(schema.version >= 1)
  const second = await openSqliteStore({ path })
  assert.deepEqual(await second.listWorkspaces(), [workspace])
  await second.close()
  assert.deepEqual(schemaOf(path), schema)
})

test('a database of the first schema keeps its batches, which record and trace nothing', async t => {
  const path = fileFor(t)
  const first = new URL('../../src/store/sqlite/migrations/0001-first-batch.sql', import.meta.url)
  inspect(path, db => {
    db.exec(readFileSync(first, 'utf8'))
    db.exec(`PRAGMA foreign_keys = OFF; PRAGMA user_version = 1;
      INSERT INTO batches (id, workspace_id, agent_id, phone_number_id, trunk_id, name, dialect, sent_agent_id, status,
        open, start_as, timezone, retry, ring_timeout_ms, max_call_ms, content_hash, created_at, updated_at)
      VALUES (7, 1, 1, 1, 1, 'March', 'outdial', '1', 'completed', 0, 'running', 'UTC', '{"maxAttempts":1,"delaysMs":{}}',
        1, 1, '', 0, 0);
      INSERT INTO workspaces (id, name, max_concurrent_calls, created_at, updated_at) VALUES (1, 'demo', 1, 0, 0);
      INSERT INTO batch_progress (batch_id) VALUES (7)`)
  })
  const store = await openSqliteStore({ path })
  const batch = await store.getBatch(1, 7)
  assert.deepEqual(
    [batch?.name, batch?.record, batch?.trace, batch?.answeringMachine],
    ['March', false, false, 'off'],
  )
  await store.close()
})

test('a database of a newer program is refused and not touched', async t => {
  const path = fileFor(t)
  await (await openSqliteStore({ path })).close()
  const newer = schemaOf(path).version + 1
  inspect(path, db => db.exec(`PRAGMA user_version = ${newer}`))
  const before = schemaOf(path)
  await assert.rejects(openSqliteStore({ path }), new RegExp(`has schema ${newer}.*start the newer version`))
  assert.deepEqual(schemaOf(path), before)
})

test('a migration that fails leaves the database as it was', async t => {
  const path = fileFor(t)
  inspect(path, db => db.exec(`CREATE TABLE recipients (mine TEXT); INSERT INTO recipients VALUES ('kept')`))
  await assert.rejects(openSqliteStore({ path }), /migration 0001-.*\.sql failed/)
  assert.deepEqual(schemaOf(path), { version: 0, tables: ['recipients'] })
  const kept = inspect(path, db => db.prepare('SELECT mine FROM recipients').get()?.mine)
  assert.equal(kept, 'kept')
})

test('a file that is no database is refused and not overwritten', async t => {
  const path = fileFor(t)
  const text = 'phone,name\n'.repeat(1_000)
  writeFileSync(path, text)
  await assert.rejects(openSqliteStore({ path }), /not a database/)
  assert.equal(readFileSync(path, 'utf8'), text)
})
