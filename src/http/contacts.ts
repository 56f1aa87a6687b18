// Contacts that come as JSON in a request, as a list source with the fingerprint that a file would have.
import { createHash } from 'node:crypto'
import type { ListSource } from '../ingest/ingest.ts'

export function contactsSource(contacts: readonly unknown[]): Extract<ListSource, { kind: 'contacts' }> {
  const sha256 = createHash('sha256').update(JSON.stringify(contacts)).digest('hex')
  return { kind: 'contacts', contacts, sha256 }
}
