// What a batch of a journey is where its test says nothing else.
import type { NewBatch } from '../../src/domain/batch.ts'
import { noRetries } from '../../src/domain/retry.ts'

export function newBatch(workspaceId: number, name: string, now: number): NewBatch {
  return {
    workspaceId,
    agentId: 0,
    phoneNumberId: 0,
    name,
    description: null,
    dialect: 'outdial',
    sentAgentId: 'agent',
    sentPhoneNumberId: null,
    open: false,
    timezone: 'UTC',
    scheduledAt: null,
    startAs: 'running',
    contentHash: name,
    createdAt: now,
    maxConcurrentCalls: null,
    callsPerSecond: null,
    retry: noRetries,
    window: null,
    ringTimeoutMs: 45_000,
    maxCallMs: 3_600_000,
    record: false,
    trace: false,
    answeringMachine: 'off',
  }
}
