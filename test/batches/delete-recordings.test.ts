// A deleted batch takes its recordings with it.
import assert from 'node:assert/strict'
import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { removeRecordings } from '../../src/batches/find-attempt.ts'

test('recordings are removed by name, and one that is gone already is no failure', async t => {
  const dir = await mkdtemp(join(tmpdir(), 'outdial-recordings-'))
  t.after(() => rm(dir, { recursive: true, force: true }))
  for (const name of ['mine.wav', 'of-another-batch.wav']) await writeFile(join(dir, name), '')
  await removeRecordings(dir, ['mine.wav', 'gone.wav'])
  assert.deepEqual(await readdir(dir), ['of-another-batch.wav'])
  await removeRecordings(undefined, ['mine.wav'])
})
