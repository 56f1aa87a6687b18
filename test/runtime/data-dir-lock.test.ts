// One server per data directory, also after a crash.
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { DataDirTaken, lockDataDir } from '../../src/runtime/data-dir-lock.ts'

const lockModule = join(import.meta.dirname, '../../src/runtime/data-dir-lock.ts')

async function temporaryDir(t: { after(fn: () => unknown): void }): Promise<string> {
  const dir = await mkdtemp(join(tmpdir(), 'outdial-lock-'))
  t.after(() => rm(dir, { recursive: true, force: true }))
  return dir
}

/** Another process that holds the lock; resolves once it does. */
async function holder(dir: string) {
  const script = `
    import { lockDataDir } from ${JSON.stringify(lockModule)}
    lockDataDir(${JSON.stringify(dir)}).announce('http://127.0.0.1:8080')
    console.log('held')
    process.stdin.resume()`
  const child = spawn(process.execPath, ['--input-type=module-typescript', '-e', script], {
    stdio: ['pipe', 'pipe', 'inherit'],
  })
  await once(child.stdout!, 'data')
  return child
}

test('a second process is told which one holds the directory, where it is, and what to do', async t => {
  const dir = await temporaryDir(t)
  const child = await holder(dir)
  t.after(() => child.kill('SIGKILL'))
  assert.throws(
    () => lockDataDir(dir),
    (error: unknown) => {
      assert.ok(error instanceof DataDirTaken)
      assert.deepEqual(error.holder, { pid: child.pid, url: 'http://127.0.0.1:8080' })
      assert.match(error.message, new RegExp(`process ${child.pid}.*http://127.0.0.1:8080.*OUTDIAL_DATA_DIR`))
      return true
    },
  )
})

test('the lock of a killed process is gone with it', async t => {
  const dir = await temporaryDir(t)
  const child = await holder(dir)
  child.kill('SIGKILL')
  await once(child, 'exit')
  lockDataDir(dir).release()
})

test('one process cannot take a directory twice, and can take it again after the release', async t => {
  const dir = await temporaryDir(t)
  const lock = lockDataDir(dir)
  assert.throws(() => lockDataDir(dir), DataDirTaken)
  lock.release()
  lock.release()
  lockDataDir(dir).release()
})
