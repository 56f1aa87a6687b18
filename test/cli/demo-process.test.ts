// `demo` as a process: everybody is called, what became of them is printed, and the printed line works as it stands.
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { outdial, spawned } from './spawned.ts'

const hasCurl = spawnSync('curl', ['--version']).status === 0
const skip = hasCurl || process.env.CI === 'true' ? false : 'curl is missing'

/** As the endings of their numbers and the carrier's seed decide. */
const becameOf25 = /^25 people, \d\d calls, 16 answered/

test('the demo calls the 25 people twice over, and its curl line calls them again', { skip }, async t => {
  const dir = await mkdtemp(join(tmpdir(), 'outdial-demo-'))
  t.after(() => rm(dir, { recursive: true, force: true }))
  for (const run of ['first', 'second']) {
    const demo = outdial(['demo'], { PORT: '0', OUTDIAL_DATA_DIR: dir })
    t.after(() => demo.child.kill('SIGKILL'))
    await demo.line(becameOf25)
    const table = demo.out.filter(line => /^\S+ \S+ +\+\d+ /.test(line))
    assert.equal(table.length, 25, `${run} run`)
    assert.match(demo.out.join('\n'), /Carla Jimenez +\+13125550183 +2 {2}answered/)
    const [, curl] = await demo.line(/^ {2}(curl .*)$/)
    const again = spawned('bash', ['-c', curl!.replace('curl ', 'curl -sS ')], {})
    assert.equal(await again.exit, 0)
    const batch = JSON.parse(again.out.join(''))
    assert.deepEqual([batch.totalRecipients, batch.status], [25, 'running'])
    demo.child.kill('SIGTERM')
    assert.equal(await demo.exit, 0)
  }
})
