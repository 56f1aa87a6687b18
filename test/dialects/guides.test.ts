// The guides' own commands: pasted one after the other into a shell, all of them work.
import assert from 'node:assert/strict'
import { readFile } from 'node:fs/promises'
import { test } from 'node:test'
import { openWorkspace } from './house.ts'
import { openListeningHouse } from './listening-house.ts'
import { missingFor, runSample } from './run-sample.ts'

for (const vendor of ['formant', 'dialnexa', 'talkifai']) {
  test(`every command of the ${vendor} guide works`, async t => {
    const missing = missingFor('curl')
    if (missing !== null && process.env.CI !== 'true') return t.skip(`${missing} is missing`)
    const house = await openListeningHouse(t)
    const { key } = await openWorkspace(house.deps)
    const guide = await readFile(new URL(`../../docs/guide/${vendor}.md`, import.meta.url), 'utf8')
    const commands = [...guide.matchAll(/^```bash\n(.*?)^```/gms)].map(([, block]) => block).join('')
    const text = commands.replaceAll('http://127.0.0.1:8080', house.url)
    const { stderr } = await runSample('curl', `set -e\n${text}`, vendor, { OUTDIAL_API_KEY: key })
    assert.equal(stderr, '')
    const answers = house.answers.map(({ method, url, status }) => `${method} ${url} ${status}`)
    assert.equal(answers.length, commands.match(/^curl /gm)?.length)
    for (const { status, url, body } of house.answers)
      assert.ok(status === 200 || status === 201, `${url} ${status} ${JSON.stringify(body)}`)
  })
}
