// Writes that are committed together, and how many of them may hold the event loop at once.
import assert from 'node:assert/strict'
import { DatabaseSync } from 'node:sqlite'
import { test } from 'node:test'
import { GroupCommit, type Schedule } from '../../src/store/sqlite/group-commit.ts'

test('a group that has worked too long is committed, and the rest waits for the next turn, in order', async () => {
  const { commits, write, turn } = openGroups()
  const written = [write('first'), write('second'), write('third')]
  turn({ lateAfter: 2 })
  assert.deepEqual(commits, [['first', 'second']])
  turn({ lateAfter: 1 })
  assert.deepEqual(commits, [['first', 'second'], ['third']])
  assert.deepEqual(await Promise.all(written), ['first', 'second', 'third'])
})

test('what is written while a part of a group still waits comes after it', () => {
  const { commits, write, turn, turns } = openGroups()
  for (const name of ['first', 'second']) void write(name)
  turn({ lateAfter: 1 })
  void write('third')
  assert.equal(turns(), 1, 'one turn is asked for, not two')
  turn({ lateAfter: 9 })
  assert.deepEqual(commits, [['first'], ['second', 'third']])
})

/** Commits happen when the test says so; each is noted with the names that were written in it. */
function openGroups() {
  const db = new DatabaseSync(':memory:')
  db.exec('CREATE TABLE notes (id INTEGER PRIMARY KEY, name TEXT NOT NULL) STRICT')
  const flushes: Parameters<Schedule>[0][] = []
  const commits: string[][] = []
  let seen = 0
  const groups = new GroupCommit(
    db,
    flush => flushes.push(flush),
    () => {
      const rows = db.prepare('SELECT id, name FROM notes WHERE id > ? ORDER BY id').all(seen)
      seen += rows.length
      commits.push(rows.map(row => String(row.name)))
    },
    () => {},
  )
  const insert = db.prepare('INSERT INTO notes (name) VALUES (?)')
  return {
    commits,
    turns: () => flushes.length,
    write: (name: string) =>
      groups.write(() => {
        insert.run(name)
        return name
      }),
    turn({ lateAfter }: { lateAfter: number }) {
      let asked = 0
      flushes.shift()?.(() => ++asked >= lateAfter)
    },
  }
}
