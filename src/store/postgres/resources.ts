// Agents, trunks and phone numbers.
import type { EventType } from '../../domain/event.ts'
import type { Agent, PhoneNumber, Trunk } from '../../domain/workspace.ts'
import { isId } from '../refs.ts'
import { noSimulatedTrunk, numberTaken, unknownAgent, unknownTrunk } from '../refusals.ts'
import { type Row, toAgent, toPhoneNumber, toTrunk } from '../rows.ts'
import type { Store } from '../store.ts'
import { addAliases, aliasedPage, findAliased, freeId, isOwned, selectAliased } from './aliases.ts'
import { columns } from './columns.ts'
import type { Connection } from './connection.ts'
import { saveAnswer } from './idempotency.ts'
import { lockWorkspace } from './locks.ts'
import type { Reader } from './transaction.ts'

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

const selectTrunk = `SELECT ${columns('trunks')} FROM trunks`

export function resourceStatements(connection: Connection): Family {
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
             max_concurrent_calls, created_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9) RETURNING ${columns('agents')}`,
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
           VALUES ($1, $2, $3, $4, $5, $6, $7) RETURNING ${columns('trunks')}`,
          [workspaceId, name, kind, maxConcurrentCalls, callsPerSecond, JSON.stringify(settings), createdAt],
        )
        const created = toTrunk(row as Row)
        await saveAnswer(tx, workspaceId, idempotency, created)
        return created
      }),

    createPhoneNumber: (fields, idempotency) =>
      connection.write(async (tx): Promise<PhoneNumber> => {
        const {
          workspaceId,
          e164,
          agentId,
          maxConcurrentCalls,
          maxCallsPerDay = null,
          createdAt,
          aliases,
        } = fields
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
          `INSERT INTO phone_numbers (id, workspace_id, e164, trunk_id, agent_id, max_concurrent_calls, max_calls_per_day,
             created_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8) RETURNING ${columns('phone_numbers')}`,
          [id, workspaceId, e164, trunkId, agentId, maxConcurrentCalls, maxCallsPerDay, createdAt],
        )
        await addAliases(tx, 'phone-number', workspaceId, id, aliases)
        const created = toPhoneNumber(row as Row, aliases.toSorted())
        await saveAnswer(tx, workspaceId, idempotency, created)
        return created
      }),

    async findAgent(workspaceId, ref) {
      const row = await findAliased(connection, 'agent', workspaceId, ref)
      return row === undefined ? null : toAgent(row, row.aliases)
    },
    async findPhoneNumber(workspaceId, ref) {
      const row = await findAliased(connection, 'phone-number', workspaceId, ref)
      return row === undefined ? null : toPhoneNumber(row, row.aliases)
    },
    async findTrunk(workspaceId, ref) {
      if (!isId(ref)) return null
      const row = await connection.row(`${selectTrunk} WHERE id = $1 AND workspace_id = $2`, [
        Number(ref),
        workspaceId,
      ])
      return row === undefined ? null : toTrunk(row)
    },

    async defaultPhoneNumber(workspaceId, agentId) {
      const row = await connection.row(
        `${selectAliased('phone-number')} WHERE t.workspace_id = $1 ORDER BY t.agent_id IS DISTINCT FROM $2, t.id LIMIT 1`,
        [workspaceId, agentId],
      )
      return row === undefined ? null : toPhoneNumber(row, row.aliases)
    },

    listAgents: async (workspaceId, cursor) => {
      const rows = await aliasedPage(connection, 'agent', workspaceId, cursor)
      return rows.map(row => toAgent(row, row.aliases))
    },
    async listTrunks(workspaceId, { after, limit }) {
      const rows = await connection.rows(
        `${selectTrunk} WHERE workspace_id = $1 AND id > $2 ORDER BY id LIMIT $3`,
        [workspaceId, after ?? 0, limit],
      )
      return rows.map(toTrunk)
    },
    listPhoneNumbers: async (workspaceId, cursor) => {
      const rows = await aliasedPage(connection, 'phone-number', workspaceId, cursor)
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
      const row = await connection.row(`${selectTrunk} WHERE id = $1`, [trunkId])
      return row === undefined ? null : toTrunk(row)
    },
    async getAgent(agentId) {
      const row = await connection.row(`${selectAliased('agent')} WHERE t.id = $1`, [agentId])
      return row === undefined ? null : toAgent(row, row.aliases)
    },
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
