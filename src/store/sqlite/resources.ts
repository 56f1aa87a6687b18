// Agents, trunks, phone numbers, and the aliases by which clients of a vendor call them.
import type { Agent, PhoneNumber, Trunk } from '../../domain/workspace.ts'
import { idSpelt, isId, type Kind, kinds, spellingsOf } from '../refs.ts'
import { aliasTaken, noSimulatedTrunk, numberTaken, unknownAgent, unknownTrunk } from '../refusals.ts'
import { type Row, toAgent, toPhoneNumber, toTrunk } from '../rows.ts'
import type { Store } from '../store.ts'
import type { Connection } from './connection.ts'
import { saveAnswer } from './idempotency.ts'

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
  const agent = (row: Row) => toAgent(row, aliasesOf(connection, 'agent', row.id))
  const phoneNumber = (row: Row) => toPhoneNumber(row, aliasesOf(connection, 'phone-number', row.id))
  const byId = (table: string, id: number) =>
    connection.prepare(`SELECT * FROM ${table} WHERE id = ?`).get(id) as Row | undefined
  const page = (table: string, workspaceId: number, after: number | undefined, limit: number): Row[] =>
    connection
      .prepare(`SELECT * FROM ${table} WHERE workspace_id = ? AND id > ? ORDER BY id LIMIT ?`)
      .all(workspaceId, after ?? 0, limit)

  return {
    createAgent: (fields, idempotency) =>
      connection.write((): Agent => {
        const id = freeId(connection, 'agent', fields.workspaceId, fields.aliases)
        const { workspaceId, name, architecture, prompt, firstMessage, maxConcurrentCalls, createdAt } =
          fields
        const settings = fields.connection === null ? null : JSON.stringify(fields.connection)
        connection
          .prepare(
            `INSERT INTO agents (id, workspace_id, name, architecture, prompt, first_message, connection,
               max_concurrent_calls, created_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)`,
          )
          .run(
            id,
            workspaceId,
            name,
            architecture,
            prompt,
            firstMessage,
            settings,
            maxConcurrentCalls,
            createdAt,
          )
        addAliases(connection, 'agent', workspaceId, id, fields.aliases)
        const created = agent(byId('agents', id) as Row)
        saveAnswer(connection, workspaceId, idempotency, created)
        return created
      }),

    createTrunk: (fields, idempotency) =>
      connection.write((): Trunk => {
        const { workspaceId, name, kind, maxConcurrentCalls, callsPerSecond, settings, createdAt } = fields
        const { lastInsertRowid } = connection
          .prepare(
            `INSERT INTO trunks (workspace_id, name, kind, max_concurrent_calls, calls_per_second, settings, created_at)
             VALUES (?, ?, ?, ?, ?, ?, ?)`,
          )
          .run(
            workspaceId,
            name,
            kind,
            maxConcurrentCalls,
            callsPerSecond,
            JSON.stringify(settings),
            createdAt,
          )
        const created = toTrunk(byId('trunks', Number(lastInsertRowid)) as Row)
        saveAnswer(connection, workspaceId, idempotency, created)
        return created
      }),

    createPhoneNumber: (fields, idempotency) =>
      connection.write((): PhoneNumber => {
        const { workspaceId, e164, agentId, maxConcurrentCalls, maxCallsPerDay = null, createdAt } = fields
        const trunkId = fields.trunkId ?? simulatedTrunkId(connection, workspaceId)
        if (byId('trunks', trunkId)?.workspace_id !== workspaceId) throw unknownTrunk(trunkId)
        if (agentId !== null && byId('agents', agentId)?.workspace_id !== workspaceId)
          throw unknownAgent(agentId)
        const taken = connection
          .prepare('SELECT id FROM phone_numbers WHERE workspace_id = ? AND e164 = ?')
          .get(workspaceId, e164)
        if (taken !== undefined) throw numberTaken((taken as Row).id)
        const id = freeId(connection, 'phone-number', workspaceId, fields.aliases)
        connection
          .prepare(
            `INSERT INTO phone_numbers (id, workspace_id, e164, trunk_id, agent_id, max_concurrent_calls,
               max_calls_per_day, created_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?)`,
          )
          .run(id, workspaceId, e164, trunkId, agentId, maxConcurrentCalls, maxCallsPerDay, createdAt)
        addAliases(connection, 'phone-number', workspaceId, id, fields.aliases)
        const created = phoneNumber(byId('phone_numbers', id) as Row)
        saveAnswer(connection, workspaceId, idempotency, created)
        return created
      }),

    findAgent: async (workspaceId, ref) => {
      const row = find(connection, 'agent', workspaceId, ref)
      return row === undefined ? null : agent(row)
    },
    findPhoneNumber: async (workspaceId, ref) => {
      const row = find(connection, 'phone-number', workspaceId, ref)
      return row === undefined ? null : phoneNumber(row)
    },
    findTrunk: async (workspaceId, ref) => {
      const row = isId(ref) ? byId('trunks', Number(ref)) : undefined
      return row?.workspace_id === workspaceId ? toTrunk(row as Row) : null
    },

    defaultPhoneNumber: async (workspaceId, agentId) => {
      const row = connection
        .prepare(
          'SELECT * FROM phone_numbers WHERE workspace_id = ?1 ORDER BY agent_id IS NOT ?2, id LIMIT 1',
        )
        .get(workspaceId, agentId)
      return row === undefined ? null : phoneNumber(row)
    },

    listAgents: async (workspaceId, { after, limit }) => page('agents', workspaceId, after, limit).map(agent),
    listTrunks: async (workspaceId, { after, limit }) =>
      page('trunks', workspaceId, after, limit).map(toTrunk),
    listPhoneNumbers: async (workspaceId, { after, limit }) =>
      page('phone_numbers', workspaceId, after, limit).map(phoneNumber),

    setTrunkBreaker: (trunkId, until, reason, now) =>
      connection.write(() => {
        connection
          .prepare('UPDATE trunks SET breaker_until = ?, breaker_reason = ? WHERE id = ?')
          .run(until, reason, trunkId)
        const event = until === null ? 'trunk.breaker-closed' : 'trunk.breaker-opened'
        const data = JSON.stringify({ trunkId, until, reason })
        connection.emit(byId('trunks', trunkId)?.workspace_id, null, event, now, data)
        connection.workChanged()
      }),
    setTrunkSlowed: (trunkId, callsPerSecond, now) =>
      connection.write(() => {
        connection
          .prepare('UPDATE trunks SET slowed_calls_per_second = ? WHERE id = ?')
          .run(callsPerSecond, trunkId)
        const data = JSON.stringify({ trunkId, callsPerSecond })
        connection.emit(byId('trunks', trunkId)?.workspace_id, null, 'trunk.slowed', now, data)
        connection.workChanged()
      }),
    setAgentBreaker: (agentId, until, reason, now) =>
      connection.write(() => {
        connection.prepare('UPDATE agents SET breaker_until = ? WHERE id = ?').run(until, agentId)
        const event = until === null ? 'agent.breaker-closed' : 'agent.breaker-opened'
        const data = JSON.stringify({ agentId, until, reason })
        connection.emit(byId('agents', agentId)?.workspace_id, null, event, now, data)
        connection.workChanged()
      }),

    getTrunk: async trunkId => {
      const row = byId('trunks', trunkId)
      return row === undefined ? null : toTrunk(row)
    },
    getAgent: async agentId => {
      const row = byId('agents', agentId)
      return row === undefined ? null : agent(row)
    },
  }
}

function find(connection: Connection, kind: Kind, workspaceId: number, ref: string): Row | undefined {
  const alias = connection
    .prepare('SELECT target_id FROM aliases WHERE workspace_id = ? AND alias = ? AND kind = ?')
    .get(workspaceId, ref, kind) as Row | undefined
  const id = alias?.target_id ?? (isId(ref) ? Number(ref) : null)
  if (id === null) return undefined
  return connection
    .prepare(`SELECT * FROM ${kinds[kind].table} WHERE id = ? AND workspace_id = ?`)
    .get(id, workspaceId)
}

function aliasesOf(connection: Connection, kind: Kind, id: number): string[] {
  return connection
    .prepare('SELECT alias FROM aliases WHERE kind = ? AND target_id = ? ORDER BY alias')
    .all(kind, id)
    .map((row: Row) => row.alias)
}

/** The next id whose spellings (`12`, `agt_12`) no alias has taken: none of the workspace, none of its own. */
function freeId(connection: Connection, kind: Kind, workspaceId: number, own: readonly string[]): number {
  const { table } = kinds[kind]
  const { last } = connection.prepare(`SELECT coalesce(max(id), 0) AS last FROM ${table}`).get() as Row
  const taken = connection.prepare('SELECT 1 FROM aliases WHERE workspace_id = ? AND alias IN (?, ?)')
  for (let id = last + 1; ; id++) {
    const spellings = spellingsOf(kind, id)
    if (own.some(alias => spellings.includes(alias))) continue
    if (taken.get(workspaceId, ...spellings) === undefined) return id
  }
}

function addAliases(
  connection: Connection,
  kind: Kind,
  workspaceId: number,
  targetId: number,
  aliases: readonly string[],
): void {
  for (const alias of aliases) {
    if (isTaken(connection, kind, workspaceId, alias)) throw aliasTaken(alias)
    connection
      .prepare('INSERT INTO aliases (workspace_id, alias, kind, target_id) VALUES (?, ?, ?, ?)')
      .run(workspaceId, alias, kind, targetId)
  }
}

function isTaken(connection: Connection, kind: Kind, workspaceId: number, alias: string): boolean {
  const id = idSpelt(kind, alias)
  const asId =
    id === null
      ? undefined
      : connection
          .prepare(`SELECT 1 FROM ${kinds[kind].table} WHERE id = ? AND workspace_id = ?`)
          .get(id, workspaceId)
  if (asId !== undefined) return true
  return (
    connection
      .prepare('SELECT 1 FROM aliases WHERE workspace_id = ? AND alias = ?')
      .get(workspaceId, alias) !== undefined
  )
}

function simulatedTrunkId(connection: Connection, workspaceId: number): number {
  const row = connection
    .prepare(`SELECT id FROM trunks WHERE workspace_id = ? AND kind = 'simulated' ORDER BY id LIMIT 1`)
    .get(workspaceId) as Row | undefined
  if (row === undefined) throw noSimulatedTrunk()
  return row.id
}
