// The store for many machines keeps every promise of a store, on a real PostgreSQL.
import { openPostgresStore } from '../../src/store/postgres/postgres-store.ts'
import type { Store } from '../../src/store/store.ts'
import { emptyDatabase, newDatabase, skipWithoutPostgres } from './postgres-server.ts'
import { storeConformance } from './store-conformance.ts'

/** The suite has one node, whose sweep at start takes everything for dead that is not finished. */
const orphans = { importAfterMs: 0, reservationAfterMs: 0 }
const urls = new WeakMap<Store, string>()

async function openAt(url: string): Promise<Store> {
  const store = await openPostgresStore({ url, orphans })
  urls.set(store, url)
  return store
}

/** One test runs after the other, and closes its store: one database serves them all. */
let database: Promise<string> | undefined

async function openEmpty(): Promise<Store> {
  database ??= newDatabase()
  const url = await database
  await emptyDatabase(url)
  return openAt(url)
}

storeConformance('on PostgreSQL', openEmpty, {
  skip: skipWithoutPostgres,
  async reopen(store) {
    await store.close()
    return openAt(urls.get(store)!)
  },
})
