// Who of the queue is due, and when the next ones will be: one statement for all batches, zones and standings.
import { isOpen, nextOpening } from '../../domain/calling-window.ts'
import type { ClaimRound, Due } from '../claim-round.ts'
import type { GatheredChanges } from '../progress-changes.ts'
import type { Row } from '../rows.ts'
import type { RunningBatch } from '../running-batch.ts'
import type { Reader } from './transaction.ts'

/** One stretch of the index of who is due. */
interface Place {
  batchId: number
  standing: Due
  zone: string
}

/**
 * Recipients that are due, at most its share of each batch, looked for place by place in the order given: retries come
 * first, or they would wait for the end of a long list. The inner LIMIT ends the search of a batch at its share: the nested
 * loop reads the places in turn, which SQL does not promise; at worst another place's people are called first. The last
 * LIMIT keeps the planner, who cannot know the shares, from reading all details for a hash join.
 */
export async function selectDue(
  reader: Reader,
  shares: ReadonlyMap<number, number>,
  places: readonly Place[],
  now: number,
): Promise<Row[]> {
  if (places.length === 0) return []
  const rows = await reader.rows(
    `SELECT due.*, d.number, d.variables FROM unnest($1::bigint[], $2::integer[]) AS share (batch_id, places)
       CROSS JOIN LATERAL (
         SELECT r.*, place.position
         FROM unnest($3::bigint[], $4::text[], $5::text[]) WITH ORDINALITY AS place (batch_id, standing, zone, position)
           CROSS JOIN LATERAL (
             SELECT id, batch_id, standing, zone, due_at, attempts, put_backs, first_put_back_at FROM recipients
             WHERE batch_id = place.batch_id AND standing = place.standing AND zone = place.zone AND due_at <= $6
             ORDER BY due_at, id LIMIT share.places) r
         WHERE place.batch_id = share.batch_id LIMIT share.places) due
       CROSS JOIN LATERAL (SELECT number, variables FROM recipient_details WHERE id = due.id LIMIT 1) d`,
    [[...shares.keys()], [...shares.values()], ...columnsOf(places), now],
  )
  return rows.sort(
    (one, other) => one.position - other.position || one.due_at - other.due_at || one.id - other.id,
  )
}

/** For each place where somebody waits: when the first is due and the window open, epoch ms. */
export async function nextDueTimes(
  reader: Reader,
  round: ClaimRound<GatheredChanges>,
  batches: readonly RunningBatch[],
): Promise<number[]> {
  const { now } = round.request
  const places = batches.flatMap(batch =>
    batch.zones.flatMap(zone => {
      const opensAt = isOpen(batch.window, zone, now) ? now : nextOpening(batch.window, zone, now)
      if (opensAt === null) return []
      return (['waiting', 'queued'] as const)
        .filter(standing => round.mayHave(batch, standing))
        .map(standing => ({ batchId: batch.id, standing, zone, opensAt }))
    }),
  )
  if (places.length === 0) return []
  const rows = await reader.rows(
    `SELECT place.opens_at, r.due_at
     FROM unnest($1::bigint[], $2::text[], $3::text[], $4::bigint[]) AS place (batch_id, standing, zone, opens_at)
       CROSS JOIN LATERAL (
         SELECT due_at FROM recipients WHERE batch_id = place.batch_id AND standing = place.standing
           AND zone = place.zone AND due_at IS NOT NULL ORDER BY due_at, id LIMIT 1) r`,
    [...columnsOf(places), places.map(({ opensAt }) => opensAt)],
  )
  return rows.map(row => Math.max(row.opens_at, row.due_at))
}

const columnsOf = (places: readonly Place[]) => [
  places.map(({ batchId }) => batchId),
  places.map(({ standing }) => standing),
  places.map(({ zone }) => zone),
]
