// What every store promises, whatever its engine: each sentence is a test that can fail.
import { describe } from 'node:test'
import { callerPromises } from './caller-promises.ts'
import { claimPromises } from './claim-promises.ts'
import { conversationPromises } from './conversation-promises.ts'
import { copyPromises } from './copy-promises.ts'
import { crashPromises } from './crash-promises.ts'
import { endingPromises } from './ending-promises.ts'
import { erasurePromises } from './erasure-promises.ts'
import { housekeepingPromises } from './housekeeping-promises.ts'
import { idempotencyPromises } from './idempotency-promises.ts'
import { importPromises } from './import-promises.ts'
import { leasePromises } from './lease-promises.ts'
import { movePromises } from './move-promises.ts'
import { placePromises } from './place-promises.ts'
import { randomWalk } from './random-walk.ts'
import { reportPromises } from './report-promises.ts'
import { resourcePromises } from './resource-promises.ts'
import { singleCallPromises } from './single-call-promises.ts'
import { timePromises } from './time-promises.ts'
import { webhookLanePromises } from './webhook-lane-promises.ts'
import { webhookPromises } from './webhook-promises.ts'
import type { Engine } from './workbench.ts'

/** Runs the suite; each test opens a new, empty store. Tests of what outlives a process need `reopen`. */
export function storeConformance(
  name: string,
  open: Engine['open'],
  { skip = false, ...options }: Partial<Pick<Engine, 'reopen' | 'walks'>> & { skip?: string | false } = {},
): void {
  const engine: Engine = { open, walks: 3, ...options }
  describe(name, { skip }, () => {
    describe('resources', () => resourcePromises(engine))
    describe('idempotency', () => idempotencyPromises(engine))
    describe('import', () => importPromises(engine))
    describe('moves', () => movePromises(engine))
    describe('claims', () => claimPromises(engine))
    describe('caller IDs', () => callerPromises(engine))
    describe('single calls', () => singleCallPromises(engine))
    describe('times', () => timePromises(engine))
    describe('the dial', () => placePromises(engine))
    describe('leases', () => leasePromises(engine))
    describe('the end', () => endingPromises(engine))
    describe('conversations', () => conversationPromises(engine))
    describe('webhooks', () => webhookPromises(engine))
    describe('webhook lanes', () => webhookLanePromises(engine))
    describe('reports', () => reportPromises(engine))
    describe('housekeeping', () => housekeepingPromises(engine))
    describe('erasure', () => erasurePromises(engine))
    describe('copies', () => copyPromises(engine))
    describe('at random', () => randomWalk(engine))
    const { reopen } = options
    if (reopen !== undefined) describe('after a crash', () => crashPromises(engine, reopen))
  })
}
