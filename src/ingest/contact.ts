// One contact of a JSON list: an object whose values are kept as they are.
import { Refusal } from '../domain/refusal.ts'
import { isNamed } from './columns.ts'
import type { ListRules } from './list-rules.ts'

export interface ReadContact {
  keys: string[]
  /** '' where there is none. */
  phone: string | number
  zone: string
  /** Every key but the phone's, its value unchanged. */
  variablesJson: string
}

/** `index` counts from 0. Throws `invalid_contacts` when the contact is not an object. */
export function readContact(contact: unknown, index: number, rules: ListRules): ReadContact {
  if (typeof contact !== 'object' || contact === null || Array.isArray(contact)) throw notAnObject(index)
  const keys = Object.keys(contact)
  const phoneKey = findKey(keys, rules.phoneColumns)
  const zoneKey = findKey(keys, rules.zoneColumns)
  const zone = zoneKey === null ? null : valueAt(contact, zoneKey)
  return {
    keys,
    phone: phoneOf(phoneKey === null ? null : valueAt(contact, phoneKey)),
    // A zone that is no text is told apart from none at all, so that it is reported.
    zone:
      zone === null || zone === undefined
        ? ''
        : typeof zone === 'string'
          ? zone.trim()
          : JSON.stringify(zone),
    variablesJson: writeVariables(contact, keys, phoneKey),
  }
}

function findKey(keys: readonly string[], wanted: readonly string[]): string | null {
  for (const name of wanted) {
    const key = keys.find(key => key === name) ?? keys.find(key => isNamed(key, [name]))
    if (key !== undefined) return key
  }
  return null
}

function valueAt(contact: object, key: string): unknown {
  return Object.hasOwn(contact, key) ? Reflect.get(contact, key) : undefined
}

function phoneOf(value: unknown): string | number {
  if (typeof value === 'string' || typeof value === 'number') return value
  return value === null || value === undefined ? '' : JSON.stringify(value)
}

/** Key by key, not as an object without the phone: that would lose a key called `__proto__`. */
function writeVariables(contact: object, keys: readonly string[], phoneKey: string | null): string {
  const members = keys.flatMap(key => {
    const json = key === phoneKey ? undefined : JSON.stringify(valueAt(contact, key))
    return json === undefined ? [] : [`${JSON.stringify(key)}:${json}`]
  })
  return `{${members.join(',')}}`
}

function notAnObject(index: number): Refusal {
  const sentence = `Contact ${index} (counted from 0) is not an object with a phone number.`
  return new Refusal('invalid', 'invalid_contacts', sentence, { index })
}
