// Agents, trunks, phone numbers, and the aliases by which clients of a vendor call them.
import type { EventType } from '../../domain/event.ts'
import type { Agent, PhoneNumber, Trunk } from '../../domain/workspace.ts'
import { idSpelt, isId, type Kind, kinds, spellingsOf } from '../refs.ts'
import { aliasTaken, noSimulatedTrunk, numberTaken, unknownAgent, unknownTrunk } from '../refusals.ts'
import { type Row, toAgent, toPhoneNumber, toTrunk } from '../rows.ts'
import type { CursorPage, Store } from '../store.ts'
import type { Connection } from './connection.ts'
import { saveAnswer } from './idempotency.ts'
import { lockWorkspace } from './locks.ts'
import type { Reader, Transaction } from './transaction.ts'

type Family = Pick<
  Store,
  | 'createAgent'
  | 'createTrunk'
  | 'createPhoneNumber'
  | 'findAgent'
  | 'findTrunk'
  | 'findPhoneNumber'
  | 'defaultPhoneNumber'
  | 'listAgents'
  | 'listTrunks'
  | 'listPhoneNumbers'
  | 'setTrunkBreaker'
  | 'setTrunkSlowed'
  | 'setAgentBreaker'
  | 'getTrunk'
  | 'getAgent'
>

export function resourceStatements(connection: Connection): Family {
  const page = async (table: string, workspaceId: number, { after, limit }: CursorPage): Promise<Row[]> =>
    connection.rows(`SELECT * FROM ${table} WHERE workspace_id = $1 AND id > $2 ORDER BY id LIMIT $3`, [
      workspaceId,
      after ?? 0,
      limit,
    ])

  /** Changes a trunk or agent by id and tells its workspace. */
  const change = (
    table: 'trunks' | 'agents',
    id: number,
    assignments: string,
    values: readonly unknown[],
    event: EventType,
    now: number,
    data: object,
  ): Promise<void> =>
    connection.write(async tx => {
      const owner = await tx.row(`SELECT workspace_id FROM ${table} WHERE id = $1`, [id])
      if (owner === undefined) return
      await lockWorkspace(tx, owner.workspace_id)
      await tx.change(`UPDATE ${table} SET ${assignments} WHERE id = $1`, [id, ...values])
      tx.emit(owner.workspace_id, null, event, now, JSON.stringify(data))
      tx.workChanged()
    })

  return {
    createAgent: (fields, idempotency) =>
      connection.write(async (tx): Promise<Agent> => {
        const { workspaceId, name, architecture, prompt, firstMessage, aliases } = fields
        await lockWorkspace(tx, workspaceId)
        const id = await freeId(tx, 'agent', workspaceId, aliases)
        const settings = fields.connection === null ? null : JSON.stringify(fields.connection)
        const { maxConcurrentCalls, createdAt } = fields
        const row = await tx.row(
          `INSERT INTO agents (id, workspace_id, name, architecture, prompt, first_message, connection,
             max_concurrent_calls, created_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9) RETURNING *`,
          [
            id,
            workspaceId,
            name,
            architecture,
            prompt,
            firstMessage,
            settings,
            maxConcurrentCalls,
            createdAt,
          ],
        )
        await addAliases(tx, 'agent', workspaceId, id, aliases)
        const created = toAgent(row as Row, aliases.toSorted())
        await saveAnswer(tx, workspaceId, idempotency, created)
        return created
      }),

    createTrunk: (fields, idempotency) =>
      connection.write(async (tx): Promise<Trunk> => {
        const { workspaceId, name, kind, maxConcurrentCalls, callsPerSecond, settings, createdAt } = fields
        const row = await tx.row(
          `INSERT INTO trunks (workspace_id, name, kind, max_concurrent_calls, calls_per_second, settings, created_at)
           VALUES ($1, $2, $3, $4, $5, $6, $7) RETURNING *`,
          [workspaceId, name, kind, maxConcurrentCalls, callsPerSecond, JSON.stringify(settings), createdAt],
        )
        const created = toTrunk(row as Row)
        await saveAnswer(tx, workspaceId, idempotency, created)
        return created
      }),

    createPhoneNumber: (fields, idempotency) =>
      connection.write(async (tx): Promise<PhoneNumber> => {
        const { workspaceId, e164, agentId, maxConcurrentCalls, createdAt, aliases } = fields
        await lockWorkspace(tx, workspaceId)
        const trunkId = fields.trunkId ?? (await simulatedTrunkId(tx, workspaceId))
        if (!(await isOwned(tx, 'trunks', trunkId, workspaceId))) throw unknownTrunk(trunkId)
        if (agentId !== null && !(await isOwned(tx, 'agents', agentId, workspaceId)))
          throw unknownAgent(agentId)
        const taken = await tx.row('SELECT id FROM phone_numbers WHERE workspace_id = $1 AND e164 = $2', [
          workspaceId,
          e164,
        ])
        if (taken !== undefined) throw numberTaken(taken.id)
        const id = await freeId(tx, 'phone-number', workspaceId, aliases)
        const row = await tx.row(
          `INSERT INTO phone_numbers (id, workspace_id, e164, trunk_id, agent_id, max_concurrent_calls, created_at)
           VALUES ($1, $2, $3, $4, $5, $6, $7) RETURNING *`,
          [id, workspaceId, e164, trunkId, agentId, maxConcurrentCalls, createdAt],
        )
        await addAliases(tx, 'phone-number', workspaceId, id, aliases)
        const created = toPhoneNumber(row as Row, aliases.toSorted())
        await saveAnswer(tx, workspaceId, idempotency, created)
        return created
      }),

    async findAgent(workspaceId, ref) {
      const row = await find(connection, 'agent', workspaceId, ref)
      return row === undefined ? null : toAgent(row, row.aliases)
    },
    async findPhoneNumber(workspaceId, ref) {
      const row = await find(connection, 'phone-number', workspaceId, ref)
      return row === undefined ? null : toPhoneNumber(row, row.aliases)
    },
    async findTrunk(workspaceId, ref) {
      if (!isId(ref)) return null
      const row = await connection.row('SELECT * FROM trunks WHERE id = $1 AND workspace_id = $2', [
        Number(ref),
        workspaceId,
      ])
      return row === undefined ? null : toTrunk(row)
    },

    async defaultPhoneNumber(workspaceId, agentId) {
      const row = await connection.row(
        `SELECT t.*, ${aliasesOf('phone-number')} FROM phone_numbers t WHERE workspace_id = $1
         ORDER BY agent_id IS DISTINCT FROM $2, id LIMIT 1`,
        [workspaceId, agentId],
      )
      return row === undefined ? null : toPhoneNumber(row, row.aliases)
    },

    listAgents: async (workspaceId, cursor) => {
      const rows = await pageOf(connection, 'agent', workspaceId, cursor)
      return rows.map(row => toAgent(row, row.aliases))
    },
    listTrunks: async (workspaceId, cursor) => (await page('trunks', workspaceId, cursor)).map(toTrunk),
    listPhoneNumbers: async (workspaceId, cursor) => {
      const rows = await pageOf(connection, 'phone-number', workspaceId, cursor)
      return rows.map(row => toPhoneNumber(row, row.aliases))
    },

    setTrunkBreaker: (trunkId, until, reason, now) =>
      change(
        'trunks',
        trunkId,
        'breaker_until = $2, breaker_reason = $3',
        [until, reason],
        until === null ? 'trunk.breaker-closed' : 'trunk.breaker-opened',
        now,
        { trunkId, until, reason },
      ),
    setTrunkSlowed: (trunkId, callsPerSecond, now) =>
      change('trunks', trunkId, 'slowed_calls_per_second = $2', [callsPerSecond], 'trunk.slowed', now, {
        trunkId,
        callsPerSecond,
      }),
    setAgentBreaker: (agentId, until, reason, now) =>
      change(
        'agents',
        agentId,
        'breaker_until = $2',
        [until],
        until === null ? 'agent.breaker-closed' : 'agent.breaker-opened',
        now,
        { agentId, until, reason },
      ),

    async getTrunk(trunkId) {
      const row = await connection.row('SELECT * FROM trunks WHERE id = $1', [trunkId])
      return row === undefined ? null : toTrunk(row)
    },
    async getAgent(agentId) {
      const row = await connection.row(`SELECT t.*, ${aliasesOf('agent')} FROM agents t WHERE id = $1`, [
        agentId,
      ])
      return row === undefined ? null : toAgent(row, row.aliases)
    },
  }
}

/** A column of a thing `t`. */
const aliasesOf = (kind: Kind) =>
  `ARRAY(SELECT alias FROM aliases WHERE kind = '${kind}' AND target_id = t.id ORDER BY alias COLLATE "C") AS aliases`

const pageOf = (reader: Reader, kind: Kind, workspaceId: number, { after, limit }: CursorPage) =>
  reader.rows(
    `SELECT t.*, ${aliasesOf(kind)} FROM ${kinds[kind].table} t WHERE workspace_id = $1 AND id > $2 ORDER BY id LIMIT $3`,
    [workspaceId, after ?? 0, limit],
  )

/** By alias before id. */
function find(reader: Reader, kind: Kind, workspaceId: number, ref: string): Promise<Row | undefined> {
  return reader.row(
    `SELECT t.*, ${aliasesOf(kind)} FROM ${kinds[kind].table} t WHERE t.workspace_id = $1 AND t.id = coalesce(
       (SELECT target_id FROM aliases WHERE workspace_id = $1 AND alias = $2 AND kind = '${kind}'), $3::bigint)`,
    [workspaceId, ref, isId(ref) ? Number(ref) : null],
  )
}

async function isOwned(reader: Reader, table: string, id: number, workspaceId: number): Promise<boolean> {
  const row = await reader.row(`SELECT 1 FROM ${table} WHERE id = $1 AND workspace_id = $2`, [
    id,
    workspaceId,
  ])
  return row !== undefined
}

/** The next id whose spellings (`12`, `agt_12`) no alias has taken: none of the workspace, none of its own. */
async function freeId(
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

async function addAliases(
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

async function simulatedTrunkId(reader: Reader, workspaceId: number): Promise<number> {
  const row = await reader.row(
    `SELECT id FROM trunks WHERE workspace_id = $1 AND kind = 'simulated' ORDER BY id LIMIT 1`,
    [workspaceId],
  )
  if (row === undefined) throw noSimulatedTrunk()
  return row.id
}
