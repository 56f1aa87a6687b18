// Lists of people as somebody would send them, drawn from chance: numbers that stand in several of them, zones, bad rows.
import type { CreateBatchRequest } from '../../src/batches/create-batch.ts'
import type { TrunkKind } from '../../src/domain/workspace.ts'
import { contactsSource } from '../../src/http/contacts.ts'
import type { ListRules } from '../../src/ingest/ingest.ts'
import type { Chance } from './chance.ts'

const second = 1_000
const zones = ['UTC', 'America/New_York', 'Asia/Kolkata', 'Europe/Berlin']
/** So many people there are: some stand in several lists. */
const population = 60
const maxPeople = 25

/** A caller ID of the workspace, its trunk and its agent. */
export interface Line {
  trunkId: number
  e164: string
  kind: TrunkKind
}

const list: ListRules = {
  formats: ['csv'],
  phoneColumns: ['phone'],
  numbers: 'readable',
  region: null,
  destinations: null,
  zoneColumns: ['timezone'],
  fallbackZone: 'UTC',
  mode: 'lenient',
  refuseBadContact: false,
  maxBytes: 1_000_000,
  maxRows: 10_000,
}

export function contactsOf(chance: Chance, zone: string): { phone: string; timezone: string }[] {
  return Array.from({ length: chance.int(1, maxPeople) }, () => {
    const phone = chance.happens(0.02)
      ? 'nobody'
      : `+1202555${String(100 + chance.int(1, population)).padStart(4, '0')}`
    return { phone, timezone: zone }
  })
}

/** All of a create but who asks, and over which caller ID. */
export function drawBatch(
  chance: Chance,
  name: string,
  isLong: boolean,
): Omit<CreateBatchRequest, 'workspace' | 'phoneNumberRef' | 'scheduledAt'> {
  const open = chance.happens(0.2)
  const contacts = [
    ...contactsOf(chance, isLong ? chance.pick(zones) : 'UTC'),
    { phone: `+12025550${chance.int(161, 170)}`, timezone: 'UTC' },
  ]
  return {
    dialect: 'outdial',
    agentRef: null,
    name,
    description: null,
    source: contactsSource(contacts),
    list,
    timezone: 'UTC',
    startAs: chance.happens(0.1) ? 'draft' : 'running',
    open,
    maxConcurrentCalls: chance.pick([null, 1, 3, 6]),
    callsPerSecond: chance.pick([null, null, null, 1, 4]),
    retry: chance.retry(),
    window: isLong ? chance.window() : null,
    ringTimeoutMs: chance.int(5, 60) * second,
    maxCallMs: chance.int(5, 60) * second,
  }
}
