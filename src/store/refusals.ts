// What a store says no to, in the same words whatever the engine.
import { type Batch, type BatchAction, type BatchStatus, lawfulActions } from '../domain/batch.ts'
import { maxRecipientsPerBatch } from '../domain/recipient-id.ts'
import { Refusal } from '../domain/refusal.ts'

/** The store cannot do it now; `cause`: what its engine said. */
export function storeUnavailable(sentence: string, cause: unknown): Refusal {
  const refusal = new Refusal('unavailable', 'store_unavailable', sentence)
  refusal.cause = cause
  return refusal
}

export const workspaceNotFound = () =>
  new Refusal('not-found', 'workspace_not_found', 'There is no such workspace.')

export const batchNotFound = (batchId: number) =>
  new Refusal('not-found', 'batch_not_found', `Batch ${batchId} not found.`)

export const wrongStatus = (action: string, status: BatchStatus) =>
  new Refusal('conflict', 'wrong_status', `Cannot ${action} a batch in '${status}' status.`, {
    action,
    status,
  })

export function refuseUnlawful(batch: Batch, action: BatchAction): void {
  if (!lawfulActions[batch.status].includes(action)) throw wrongStatus(action, batch.status)
}

/** Calls under way, and batches that call or will, are not deleted from under anybody. */
export function refuseDeletion({ progress, status }: Batch): void {
  if (progress.counts.calling > 0 || ['running', 'paused', 'scheduled'].includes(status))
    throw wrongStatus('delete', status)
}

export function refuseAddition({ open, status }: Batch): void {
  if (!open)
    throw new Refusal(
      'conflict',
      'batch_not_open',
      'This batch takes no more recipients: it was not created open, or was closed.',
    )
  if (!lawfulActions[status].includes('add-recipients'))
    throw new Refusal('conflict', 'wrong_status', `Cannot add recipients to a batch in '${status}' status.`, {
      status,
    })
}

export const batchFull = () =>
  new Refusal('conflict', 'batch_full', `A batch has at most ${maxRecipientsPerBatch} recipients.`)

export const aliasTaken = (alias: string) =>
  new Refusal(
    'conflict',
    'alias_taken',
    `The alias ${alias} is an id or an alias in this workspace already.`,
    { alias },
  )

export const unknownTrunk = (trunkId: number) =>
  new Refusal('not-found', 'unknown_trunk', `Trunk ${trunkId} not found.`)

export const noSimulatedTrunk = () =>
  new Refusal('not-found', 'unknown_trunk', 'The workspace has no simulated trunk.')

export const unknownAgent = (agentId: number) =>
  new Refusal('not-found', 'unknown_agent', `Agent ${agentId} not found.`)

export const numberTaken = (id: number) =>
  new Refusal('conflict', 'number_taken', 'This phone number is registered already.', { id })

/** Calls of a workspace now, and how many it may hold. */
export interface Places {
  current: number
  max: number
}

export function refuseWithoutPlaces({ current, max }: Places): void {
  if (current < max) return
  throw new Refusal(
    'too-many',
    'no_free_place',
    `All ${max} calls that this workspace may hold at the same time are under way. Try again later.`,
    { currentCalls: current, maxCalls: max },
  )
}
