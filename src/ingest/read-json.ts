// JSON text → contacts: an array of objects, or an object that holds one.
import { Refusal } from '../domain/refusal.ts'

/** Throws `invalid_contacts`. A contact's row number is its place, the first being row 1. */
export function readJson(text: string): readonly unknown[] {
  const parsed = parse(text)
  const contacts = Array.isArray(parsed) ? parsed : contactsOf(parsed)
  if (contacts !== null) return contacts
  throw new Refusal(
    'invalid',
    'invalid_contacts',
    'The list has to be an array of contacts, or an object with "contacts".',
  )
}

/** Names under which other systems export their people. */
const listKeys = ['contacts', 'recipients'] as const

function contactsOf(parsed: unknown): readonly unknown[] | null {
  if (typeof parsed !== 'object' || parsed === null) return null
  for (const key of listKeys) {
    const value: unknown = Object.hasOwn(parsed, key) ? Reflect.get(parsed, key) : undefined
    if (Array.isArray(value)) return value
  }
  return null
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    // The parser's message quotes the text around the fault: people's numbers, perhaps.
    throw new Refusal('invalid', 'invalid_contacts', 'The list is not valid JSON.')
  }
}
