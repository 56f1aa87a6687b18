// What an earlier life of this node left open: claims go back, calls are hung up where the carrier still holds them and
// end as `lost`. A lost call keeps its place until the carrier has answered or a quarantine has passed.
import type { RescueAnswer } from '../carrier/carrier.ts'
import { classify, noEvidence } from '../domain/outcome.ts'
import type { EndedAttempt, OrphanedAttempt } from '../store/dispatch-records.ts'
import { decideNext } from './decide-next.ts'
import type { DispatcherDeps } from './dispatcher.ts'
import type { KnownResources } from './known-resources.ts'

/** How long a carrier that does not answer is asked again before its calls are given up. */
const quarantineMs = 60_000
const askAgainMs = 1_000

/** Settles every orphan; a person who had answered is not rung again. */
export async function rescue(
  deps: DispatcherDeps,
  known: KnownResources,
  cancelled: () => boolean,
): Promise<void> {
  const { store, clock, nodeId, logger } = deps
  const orphans = await store.listOrphans(nodeId)
  if (orphans.length === 0) return
  logger.warn({ attempts: orphans.length }, 'settling calls that an earlier run left open')
  await known.learn(orphans)
  const claimed = orphans.filter(orphan => orphan.status === 'claimed')
  if (claimed.length > 0)
    await store.releaseClaims(
      claimed.map(orphan => orphan.attemptId),
      clock.now(),
    )
  const byTrunk = Map.groupBy(
    orphans.filter(orphan => orphan.status !== 'claimed'),
    orphan => orphan.trunkId,
  )
  await Promise.all(
    [...byTrunk].map(([trunkId, calls]) => rescueTrunk(deps, known, trunkId, calls, cancelled)),
  )
}

async function rescueTrunk(
  { store, carrier, clock, logger }: DispatcherDeps,
  known: KnownResources,
  trunkId: number,
  orphans: OrphanedAttempt[],
  cancelled: () => boolean,
): Promise<void> {
  const trunk = known.trunk(trunkId)
  const callIds = orphans.map(orphan => orphan.callId ?? '')
  const giveUpAt = clock.now() + quarantineMs
  let answers: RescueAnswer[] | null = null
  while (answers === null && !cancelled()) {
    try {
      answers = await carrier.rescue(trunk, callIds)
    } catch (error) {
      if (clock.now() >= giveUpAt) answers = callIds.map(() => 'unknown' as const)
      else {
        logger.warn({ err: error, trunkId }, 'the carrier does not say what became of calls: asking again')
        await new Promise<void>(resolve => clock.at(clock.now() + askAgainMs, resolve))
      }
    }
  }
  if (answers === null) return
  const now = clock.now()
  await store.endAttempts(
    orphans.map((orphan, index) => endOrphan(orphan, answers[index] ?? 'unknown', now)),
    now,
  )
}

function endOrphan(orphan: OrphanedAttempt, answer: RescueAnswer, now: number): EndedAttempt {
  const answeredAt = orphan.answeredAt ?? (answer === 'answered' ? (orphan.dialedAt ?? now) : null)
  const outcome = classify({ ...noEvidence, endedBy: 'node-died', answeredAt })
  return {
    attemptId: orphan.attemptId,
    outcome,
    answeredAt,
    endedAt: now,
    costMillicents: 0,
    next:
      answer === 'never-placed'
        ? { kind: 'put-back', dueAt: now, throttled: false }
        : decideNext(outcome, orphan, now),
    suppress: false,
  }
}
