// The store for many machines keeps every promise of a store, on a real PostgreSQL.
import { openPostgresStore } from '../../src/store/postgres/postgres-store.ts'
import type { Store } from '../../src/store/store.ts'
import { newDatabase, skipWithoutPostgres } from './postgres-server.ts'
import { storeConformance } from './store-conformance.ts'

/** The suite has one node, whose sweep at start takes everything for dead that is not finished. */
const orphans = { importAfterMs: 0, reservationAfterMs: 0 }
const urls = new WeakMap<Store, string>()

async function openAt(url: string): Promise<Store> {
  const store = await openPostgresStore({ url, orphans })
  urls.set(store, url)
  return store
}

storeConformance('on PostgreSQL', async () => openAt(await newDatabase()), {
  skip: skipWithoutPostgres,
  async reopen(store) {
    await store.close()
    return openAt(urls.get(store)!)
  },
})
