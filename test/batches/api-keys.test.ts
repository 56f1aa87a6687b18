// API keys: made of chance, shown once, kept as a hash, bound to one workspace.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { findWorkspaceByKey, issueApiKey } from '../../src/batches/api-keys.ts'
import { setUp } from './workbench.ts'

test('a key has a prefix and 192 random bits, and opens its workspace', async t => {
  const { deps, workspace } = await setUp(t)
  const issued = await issueApiKey(deps, { workspaceId: workspace.id, name: 'ci' })
  assert.match(issued.key, /^od_[\w-]{32}$/)
  assert.ok(issued.key.startsWith(issued.apiKey.prefix) && issued.apiKey.prefix.length < 10)
  assert.doesNotMatch(JSON.stringify(issued.apiKey), new RegExp(issued.key))
  assert.equal((await findWorkspaceByKey(deps, issued.key))?.id, workspace.id)
  const another = await issueApiKey(deps, { workspaceId: workspace.id, name: 'ci' })
  assert.notEqual(another.key, issued.key)
})

test('an operator may choose a key of 20 characters and more', async t => {
  const { deps, workspace } = await setUp(t)
  const preset = 'a-key-of-20-letters!'
  const issue = (key: string) => issueApiKey(deps, { workspaceId: workspace.id, name: 'x', preset: key })
  assert.equal((await issue(preset)).key, preset)
  assert.equal((await findWorkspaceByKey(deps, preset))?.id, workspace.id)
  for (const bad of ['short', 'nineteen-characters', 'with a space in the middle', 'x'.repeat(513)])
    await assert.rejects(issue(bad), { code: 'unusable_api_key' })
})

test('what is not exactly the key opens nothing', async t => {
  const { deps, workspace } = await setUp(t)
  const { key } = await issueApiKey(deps, { workspaceId: workspace.id, name: 'x' })
  for (const wrong of ['', key.slice(0, -1), `${key}x`, key.toUpperCase(), 'x'.repeat(10_000)])
    assert.equal(await findWorkspaceByKey(deps, wrong), null)
})
