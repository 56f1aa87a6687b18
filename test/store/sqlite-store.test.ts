// The embedded store keeps every promise of a store, in memory and in a file.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after } from 'node:test'
import { openSqliteStore } from '../../src/store/sqlite/sqlite-store.ts'
import type { Store } from '../../src/store/store.ts'
import { storeConformance } from './store-conformance.ts'

storeConformance(
  'in memory, committed at once',
  () => openSqliteStore({ path: ':memory:', schedule: queueMicrotask }),
  { walks: 20 },
)

const folder = mkdtempSync(join(tmpdir(), 'outdial-store-'))
after(() => rmSync(folder, { recursive: true, force: true }))
const paths = new WeakMap<Store, string>()
let files = 0

async function openFile(path: string): Promise<Store> {
  const store = await openSqliteStore({ path })
  paths.set(store, path)
  return store
}

storeConformance('in a file, committed in groups', () => openFile(join(folder, `${++files}.db`)), {
  async reopen(store) {
    await store.close()
    return openFile(paths.get(store)!)
  },
})
