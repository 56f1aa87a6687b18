// The connections that are printed in the guide are valid as they stand there.
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { checkConnection } from '../../src/agent/settings.ts'

test('every connection in the guide can be used as it is printed', () => {
  const page = readFileSync(join(import.meta.dirname, '../../docs/guide/agents.md'), 'utf8')
  const printed = [...page.matchAll(/```json\n([\s\S]*?)```/g)].map(([, json]) => JSON.parse(json!))
  assert.deepEqual(
    printed.map(connection => checkConnection(connection).kind),
    ['scripted', 'media-stream', 'openai-realtime'],
  )
})
