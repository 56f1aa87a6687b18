// Pages of recipients by where they stand, in order of position.
import { liveStandings, type Standing } from '../../domain/recipient.ts'
import type { Reader } from './transaction.ts'

/**
 * Ids of recipients at these standings after `fromId`. Each standing is read where an index has it in order: those who
 * wait by zone (those due from the start apart: they lie in order of id), those finished, the few under way. An offset is
 * walked by the database, which holds up nobody here.
 */
export async function pageByStanding(
  reader: Reader,
  batchId: number,
  wanted: readonly Standing[],
  fromId: number,
  offset: number,
  limit: number,
): Promise<number[]> {
  const rows = await reader.rows(
    `SELECT id FROM (
       SELECT o.recipient_id AS id FROM open_attempts o WHERE $7 AND o.batch_id = $1 AND o.recipient_id > $2
       UNION ALL
       SELECT r.id FROM unnest($3::text[]) AS s (standing) CROSS JOIN LATERAL (
         SELECT id FROM recipients WHERE batch_id = $1 AND standing = s.standing AND finished_at IS NOT NULL AND id > $2
         ORDER BY id LIMIT $5::bigint + $6::bigint) r
       UNION ALL
       SELECT r.id FROM unnest($4::text[]) AS s (standing) CROSS JOIN batch_zones z CROSS JOIN LATERAL (
         SELECT id FROM recipients WHERE batch_id = $1 AND standing = s.standing AND zone = z.zone AND due_at = 0 AND id > $2
         ORDER BY id LIMIT $5::bigint + $6::bigint) r WHERE z.batch_id = $1
       UNION ALL
       SELECT r.id FROM unnest($4::text[]) AS s (standing) CROSS JOIN batch_zones z CROSS JOIN LATERAL (
         SELECT id FROM recipients WHERE batch_id = $1 AND standing = s.standing AND zone = z.zone AND due_at > 0 AND id > $2
         ORDER BY id LIMIT $5::bigint + $6::bigint) r WHERE z.batch_id = $1
     ) AS found ORDER BY id OFFSET $5 LIMIT $6`,
    [
      batchId,
      fromId,
      wanted.filter(standing => !liveStandings.has(standing)),
      wanted.filter(standing => standing === 'queued' || standing === 'waiting'),
      offset,
      limit,
      wanted.includes('calling'),
    ],
  )
  return rows.map(({ id }) => id)
}
