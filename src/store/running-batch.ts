// What decides over a running batch beside counts: limits, windows, breakers, stops.
import { type CallingWindow, defaultSipWindow } from '../domain/calling-window.ts'
import type { MachinePolicy } from '../domain/conversation.ts'
import { slotIntervalMs } from '../domain/pacing.ts'
import type { RetryPolicy } from '../domain/retry.ts'
import type { Row } from './rows.ts'

/** A number of ours from which a batch calls. */
export interface BatchCaller {
  phoneNumberId: number
  /** E.164. */
  callerId: string
  maxConcurrentCalls: number | null
  maxCallsPerDay: number | null
  restingUntil: number | null
}

/** The row of a BatchCaller, in both engines' SQL. */
export const selectCaller = `SELECT id AS "phoneNumberId", e164 AS "callerId", max_concurrent_calls AS "maxConcurrentCalls",
    max_calls_per_day AS "maxCallsPerDay", resting_until AS "restingUntil" FROM phone_numbers`

/** One running batch with all that it is bound by. */
export interface RunningBatch {
  id: number
  workspaceId: number
  trunkId: number
  agentId: number
  callers: BatchCaller[]
  /** In which its calls are counted whatever number they are made from; batches with the same numbers share it. */
  callerScope: string
  stopped: boolean
  window: CallingWindow | null
  zones: string[]
  retry: RetryPolicy
  ringTimeoutMs: number
  maxCallMs: number
  record: boolean
  trace: boolean
  answeringMachine: MachinePolicy
  /** 0: no limit. */
  trunkSpacingMs: number
  batchSpacingMs: number
  trunkBreakerUntil: number | null
  agentBreakerUntil: number | null
  /** Everything in which its places are counted. */
  scopes: string[]
  /** The scopes in which its open attempts are counted whatever number they call from, and how many each may hold. */
  limits: { scope: string; max: number }[]
}

/** Everything that is counted, named as in `limits`. */
export const scopesOf = (attempt: {
  workspaceId: number
  trunkId: number
  phoneNumberId: number
  agentId: number
  batchId: number
}): string[] => [
  `workspace:${attempt.workspaceId}`,
  `trunk:${attempt.trunkId}`,
  `caller:${attempt.phoneNumberId}`,
  `agent:${attempt.agentId}`,
  `batch:${attempt.batchId}`,
]

/** The row of `toRunningBatch`, in both engines' SQL. */
export const selectRunning = `SELECT b.id, b.workspace_id, b.trunk_id, b.phone_number_id, b.agent_id, b.retry, b.ring_timeout_ms, b.max_call_ms,
    b.record, b.trace, b.answering_machine, b.max_concurrent_calls AS batch_max, b.calls_per_second AS batch_cps,
    coalesce(b.calling_window, w.calling_window) AS calling_window,
    w.stopped OR EXISTS (SELECT 1 FROM store_state WHERE held_reason IS NOT NULL) AS stopped, w.max_concurrent_calls AS workspace_max,
    t.kind, t.max_concurrent_calls AS trunk_max, t.calls_per_second AS trunk_cps,
    t.slowed_calls_per_second AS slowed_cps, t.breaker_until AS trunk_breaker_until,
    a.max_concurrent_calls AS agent_max, a.breaker_until AS agent_breaker_until
  FROM batches b JOIN workspaces w ON w.id = b.workspace_id JOIN trunks t ON t.id = b.trunk_id
    JOIN agents a ON a.id = b.agent_id
  WHERE b.status = 'running'`

export function toRunningBatch(row: Row, zones: string[], callers: BatchCaller[]): RunningBatch {
  const batch = {
    id: row.id as number,
    workspaceId: row.workspace_id as number,
    trunkId: row.trunk_id as number,
    agentId: row.agent_id as number,
  }
  const callerScope = `callers:${callers.map(caller => caller.phoneNumberId).join(',')}`
  const limits: [scope: string, max: number | null][] = [
    [`workspace:${batch.workspaceId}`, row.workspace_max],
    [`trunk:${batch.trunkId}`, row.trunk_max],
    [`agent:${batch.agentId}`, row.agent_max],
    [`batch:${batch.id}`, row.batch_max],
  ]
  const trunkRates = [row.trunk_cps, row.slowed_cps].filter(rate => rate !== null) as number[]
  const ownWindow: CallingWindow | null = row.calling_window === null ? null : JSON.parse(row.calling_window)
  return {
    ...batch,
    callers,
    callerScope,
    stopped: Boolean(row.stopped),
    window: ownWindow ?? (row.kind === 'sip' ? defaultSipWindow : null),
    zones,
    retry: JSON.parse(row.retry),
    ringTimeoutMs: row.ring_timeout_ms,
    maxCallMs: row.max_call_ms,
    record: Boolean(row.record),
    trace: Boolean(row.trace),
    answeringMachine: row.answering_machine,
    trunkSpacingMs: trunkRates.length === 0 ? 0 : slotIntervalMs(Math.min(...trunkRates)),
    batchSpacingMs: row.batch_cps === null ? 0 : slotIntervalMs(row.batch_cps),
    trunkBreakerUntil: row.trunk_breaker_until,
    agentBreakerUntil: row.agent_breaker_until,
    scopes: [...limits.map(([scope]) => scope), callerScope],
    limits: limits.flatMap(([scope, max]) => (max === null ? [] : [{ scope, max }])),
  }
}

/** What a row of open_attempts is counted in. */
export const attemptScopes = (row: Row) => ({
  workspaceId: row.workspace_id as number,
  trunkId: row.trunk_id as number,
  phoneNumberId: row.phone_number_id as number,
  agentId: row.agent_id as number,
  batchId: row.batch_id as number,
})
