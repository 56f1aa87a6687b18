// The README's samples, run as they are printed against a server like the demo's.
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { apiKey, type RunningApp, runningApp } from './running-app.ts'
import { spawned } from './spawned.ts'

const readme = readFileSync(join(import.meta.dirname, '../../README.md'), 'utf8')
const section = /<!-- samples[^>]*-->([\s\S]*?)<!-- end of samples -->/.exec(readme)![1]!
const samples = [...section.matchAll(/```bash\n# ([^:]+): (\d+) [^\n]*\n([\s\S]*?)```/g)].map(
  ([, dialect, status, command]) => ({ dialect: dialect!, status: status!, command: command! }),
)

const hasCurl = spawnSync('curl', ['--version']).status === 0
const skip = hasCurl || process.env.CI === 'true' ? false : 'curl is missing'

let house: RunningApp
before(async () => {
  house = await runningApp({ agentAlias: 'demo-agent', numberAlias: 'demo-number' })
})
after(() => house.close())

test('there is a sample for each dialect and for our own API', () => {
  assert.deepEqual(
    samples.map(({ dialect }) => dialect),
    ['Formant', 'DialNexa', 'TalkifAI', 'Our own API'],
  )
})

for (const { dialect, status, command } of samples) {
  test(`${dialect}'s sample in the README is answered with ${status}`, { skip }, async () => {
    const pasted = command
      .replace('http://127.0.0.1:8080', house.app.url)
      .replace('curl ', "curl -sS -o /dev/null -w '%{http_code}' ")
    const run = spawned('bash', ['-c', pasted], { OUTDIAL_API_KEY: apiKey })
    assert.equal(await run.exit, 0, run.err.join('\n'))
    assert.equal(run.out.join(), status)
  })
}
