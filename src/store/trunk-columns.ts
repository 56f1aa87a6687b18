// A patch of a trunk as columns and their values, the same in every engine.
import type { TrunkPatch } from './store.ts'

const columns: Readonly<Record<keyof TrunkPatch, string>> = {
  name: 'name',
  maxConcurrentCalls: 'max_concurrent_calls',
  callsPerSecond: 'calls_per_second',
  settings: 'settings',
}

export function trunkColumns(patch: TrunkPatch): { column: string; value: string | number | null }[] {
  return Object.entries(patch).map(([field, value]) => ({
    column: columns[field as keyof TrunkPatch],
    value: (typeof value === 'object' && value !== null ? JSON.stringify(value) : value) as
      | string
      | number
      | null,
  }))
}
