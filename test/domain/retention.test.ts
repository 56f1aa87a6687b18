// From when on something has been kept long enough.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { keptSince } from '../../src/domain/retention.ts'

test('days are counted back from now; null is for ever', () => {
  const now = Date.UTC(2030, 0, 31)
  assert.equal(keptSince(30, now), Date.UTC(2030, 0, 1))
  assert.equal(keptSince(null, now), null)
})
