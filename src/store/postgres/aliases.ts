// The aliases by which clients of a vendor call agents and phone numbers.
import { idSpelt, isId, type Kind, kinds, spellingsOf } from '../refs.ts'
import { aliasTaken } from '../refusals.ts'
import type { Row } from '../rows.ts'
import type { CursorPage } from '../store.ts'
import { columns } from './columns.ts'
import type { Reader, Transaction } from './transaction.ts'

/** What is read of a thing `t` with aliases, to be followed by conditions. */
export const selectAliased = (kind: Kind): string => {
  const { table } = kinds[kind]
  return `SELECT ${columns(table, 't')}, ARRAY(SELECT alias FROM aliases
      WHERE kind = '${kind}' AND target_id = t.id ORDER BY alias COLLATE "C") AS aliases FROM ${table} t`
}

export const aliasedPage = (
  reader: Reader,
  kind: Kind,
  workspaceId: number,
  { after, limit }: CursorPage,
): Promise<Row[]> =>
  reader.rows(`${selectAliased(kind)} WHERE t.workspace_id = $1 AND t.id > $2 ORDER BY t.id LIMIT $3`, [
    workspaceId,
    after ?? 0,
    limit,
  ])

/** By alias before id. */
export const findAliased = (
  reader: Reader,
  kind: Kind,
  workspaceId: number,
  ref: string,
): Promise<Row | undefined> =>
  reader.row(
    `${selectAliased(kind)} WHERE t.workspace_id = $1 AND t.id = coalesce(
       (SELECT target_id FROM aliases WHERE workspace_id = $1 AND alias = $2 AND kind = '${kind}'), $3::bigint)`,
    [workspaceId, ref, isId(ref) ? Number(ref) : null],
  )

/** The next id whose spellings (`12`, `agt_12`) no alias has taken: none of the workspace, none of its own. */
export async function freeId(
  tx: Transaction,
  kind: Kind,
  workspaceId: number,
  own: readonly string[],
): Promise<number> {
  for (;;) {
    const next = await tx.row(`SELECT nextval(pg_get_serial_sequence('${kinds[kind].table}', 'id')) AS id`)
    const id: number = next?.id
    const spellings = spellingsOf(kind, id)
    if (own.some(alias => spellings.includes(alias))) continue
    const taken = await tx.row(
      'SELECT 1 FROM aliases WHERE workspace_id = $1 AND alias = ANY ($2::text[]) LIMIT 1',
      [workspaceId, spellings],
    )
    if (taken === undefined) return id
  }
}

/** The transaction has locked the workspace. @throws Refusal alias_taken */
export async function addAliases(
  tx: Transaction,
  kind: Kind,
  workspaceId: number,
  targetId: number,
  aliases: readonly string[],
): Promise<void> {
  for (const alias of aliases) {
    const id = idSpelt(kind, alias)
    if (id !== null && (await isOwned(tx, kinds[kind].table, id, workspaceId))) throw aliasTaken(alias)
    const added = await tx.change(
      'INSERT INTO aliases (workspace_id, alias, kind, target_id) VALUES ($1, $2, $3, $4) ON CONFLICT DO NOTHING',
      [workspaceId, alias, kind, targetId],
    )
    if (added === 0) throw aliasTaken(alias)
  }
}

export async function isOwned(
  reader: Reader,
  table: 'agents' | 'trunks' | 'phone_numbers',
  id: number,
  workspaceId: number,
): Promise<boolean> {
  const row = await reader.row(`SELECT 1 FROM ${table} WHERE id = $1 AND workspace_id = $2`, [
    id,
    workspaceId,
  ])
  return row !== undefined
}
