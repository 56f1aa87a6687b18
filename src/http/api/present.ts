// Our things as our own API shows them: flat, camelCase, instants as ISO 8601 in UTC, money in cents.
import { withoutSecrets } from '../../agent/settings.ts'
import { hiddenSecret } from '../../batches/change-trunk.ts'
import type { KeptAttempt } from '../../batches/find-attempt.ts'

import type { FoundRecipient } from '../../batches/find-recipient.ts'
import type { TrunkTest } from '../../batches/test-trunk.ts'
import type { Batch } from '../../domain/batch.ts'
import { type CallTrace, firstLineOf } from '../../domain/call-trace.ts'
import type { CallerHold, CallerStanding } from '../../domain/caller-choice.ts'
import type { Conversation } from '../../domain/conversation.ts'

import type { OutboxEvent } from '../../domain/event.ts'
import type { GatewayStanding } from '../../domain/gateway.ts'
import { averageTalkSeconds } from '../../domain/progress.ts'
import { type Attempt, type Recipient, statusOf } from '../../domain/recipient.ts'
import { rowReasons } from '../../domain/refusal.ts'
import type { Agent, PhoneNumber, Suppression, Trunk, Workspace } from '../../domain/workspace.ts'
import type { AuditEntry, HeldWork, ListedApiKey, StoreHold } from '../../store/housekeeping-store.ts'
import type { IngestRow, Store } from '../../store/store.ts'

const millicentsPerCent = 1_000

export function toIso(at: number): string
export function toIso(at: number | null): string | null
export function toIso(at: number | null): string | null {
  return at === null ? null : new Date(at).toISOString()
}

export function presentWorkspace({ creditMillicents, createdAt, updatedAt, ...workspace }: Workspace) {
  return {
    ...workspace,
    creditCents: creditMillicents === null ? null : creditMillicents / millicentsPerCent,
    createdAt: toIso(createdAt),
    updatedAt: toIso(updatedAt),
  }
}

/** Its keys are never shown again. */
export function presentAgent({ workspaceId: _, breakerUntil, createdAt, connection, ...agent }: Agent) {
  const shown = withoutSecrets(connection)
  return { ...agent, connection: shown, breakerUntil: toIso(breakerUntil), createdAt: toIso(createdAt) }
}

/** Its password is never shown again. */
export function presentTrunk(
  { workspaceId: _, breakerUntil, createdAt, settings, ...trunk }: Trunk,
  gateways: readonly GatewayStanding[] = [],
) {
  const { password, ...rest } = settings
  const shown = password === undefined || password === null ? settings : { ...rest, password: hiddenSecret }
  return {
    ...trunk,
    settings: shown,
    breakerUntil: toIso(breakerUntil),
    gateways: gateways.map(({ downUntil, since, ...gateway }) => ({
      ...gateway,
      downUntil: toIso(downUntil),
      since: toIso(since),
    })),
    createdAt: toIso(createdAt),
  }
}

export function presentPhoneNumber({ workspaceId: _, restingUntil, createdAt, ...number }: PhoneNumber) {
  return { ...number, restingUntil: toIso(restingUntil), createdAt: toIso(createdAt) }
}

/** A number that a batch calls from; `heldBy` null: it may call. */
export function presentCaller({ hold, ...caller }: CallerStanding) {
  return { ...caller, ...presentHold(hold) }
}

export function presentHold(hold: CallerHold | null) {
  return { heldBy: hold?.reason ?? null, heldUntil: toIso(hold?.until ?? null) }
}

export function presentSuppression({ createdAt, ...suppression }: Suppression) {
  return { ...suppression, createdAt: toIso(createdAt) }
}

export function presentBatch(batch: Batch) {
  const { workspaceId: _, sentAgentId: _a, sentPhoneNumberId: _n, progress, ...shown } = batch
  return {
    ...shown,
    scheduledAt: toIso(batch.scheduledAt),
    createdAt: toIso(batch.createdAt),
    startedAt: toIso(batch.startedAt),
    completedAt: toIso(batch.completedAt),
    updatedAt: toIso(batch.updatedAt),
    counts: progress.counts,
    attempts: progress.attempts,
    averageTalkSeconds: averageTalkSeconds(progress),
    costCents: progress.costMillicents / millicentsPerCent,
  }
}

export function presentRecipient({ dueAt, finishedAt, lastAttempt, ...recipient }: Recipient) {
  return {
    ...recipient,
    status: statusOf(recipient.standing),
    // The store keeps 0 for "at once".
    dueAt: toIso(dueAt === 0 ? null : dueAt),
    finishedAt: toIso(finishedAt),
    lastAttempt: lastAttempt === null ? null : presentAttempt(lastAttempt),
  }
}

/** With what the last call left behind; nulls where that is nothing. */
export function presentFoundRecipient({ recipient, batch, conversation }: FoundRecipient) {
  return {
    ...presentRecipient(recipient),
    metadata: batch.metadata,
    scheduledAt: toIso(batch.scheduledAt),
    ...presentConversation(conversation),
  }
}

export function presentAttempt(attempt: Attempt) {
  const { id, batchId, recipientId, ordinal, number, callerId, trunkId, status, callId, outcome } = attempt
  const { dialedAt, answeredAt, endedAt, costMillicents } = attempt
  return {
    id,
    batchId,
    recipientId,
    ordinal,
    number,
    callerId,
    trunkId,
    status,
    callId,
    dialedAt: toIso(dialedAt),
    answeredAt: toIso(answeredAt),
    endedAt: toIso(endedAt),
    talkMs: answeredAt === null || endedAt === null ? null : endedAt - answeredAt,
    outcome,
    costCents: costMillicents / millicentsPerCent,
  }
}

type ListedAttempt = Awaited<ReturnType<Store['listAttempts']>>[number]

export function presentListedAttempt(attempt: ListedAttempt) {
  const { results, recordingBytes } = attempt
  return { ...presentAttempt(attempt), results, recordingBytes }
}

/** A call with its transcript; nulls where it left nothing behind. */
export function presentKeptAttempt({ conversation, ...attempt }: KeptAttempt) {
  return { ...presentAttempt(attempt), ...presentConversation(conversation) }
}

function presentConversation(conversation: Conversation | null) {
  return {
    results: conversation?.results ?? null,
    recordingBytes: conversation?.recordingBytes ?? null,
    transcript: conversation?.transcript.map(({ at, ...entry }) => ({ ...entry, at: toIso(at) })) ?? null,
    line: conversation?.line ?? null,
  }
}

/** `afterMs` counts from the first message. */
export function presentTrace(attemptId: number, { messages, leftOut }: CallTrace) {
  const startedAt = messages[0]?.at ?? 0
  return {
    attemptId,
    messages: messages.map(({ at, text, ...message }) => ({
      ...message,
      at: toIso(at),
      afterMs: at - startedAt,
      firstLine: firstLineOf({ text }),
      text,
    })),
    leftOut,
  }
}

export function presentTrunkTest({ trunk, trace, ...test }: TrunkTest) {
  const messages =
    trace === null || test.attemptId === null ? null : presentTrace(test.attemptId, trace).messages
  return { trunkId: trunk.id, trunkName: trunk.name, ...test, messages }
}

export function presentIngestRow({ rowNumber, status, code, value }: IngestRow) {
  const reason = code === 'accepted' ? null : rowReasons[code]
  return { rowNumber, status, code, reason, value }
}

export function presentEvent({ id, batchId, type, at, data }: OutboxEvent) {
  return { id, type, at: toIso(at), batchId, data }
}

export function presentApiKey({ workspaceId: _, createdAt, revokedAt, ...key }: ListedApiKey) {
  return { ...key, createdAt: toIso(createdAt), revokedAt: toIso(revokedAt) }
}

export function presentAuditEntry({ workspaceId: _, at, ...entry }: AuditEntry & { id: number }) {
  return { ...entry, at: toIso(at) }
}

/** Whether the store is held, and what it would go on with. */
export function presentStoreHold({ hold, work }: { hold: StoreHold | null; work: HeldWork }) {
  const { lastEventAt, ...wouldDial } = work
  return {
    held: hold !== null,
    reason: hold?.reason ?? null,
    since: toIso(hold?.since ?? null),
    wouldDial,
    lastEventAt: toIso(lastEventAt),
  }
}
