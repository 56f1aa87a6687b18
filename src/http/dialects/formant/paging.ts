// Formant's lists: `agent_id`, `limit` and `offset` in, `data`, `has_more` and `total` out.
import type { FastifyRequest } from 'fastify'
import type { OffsetPage } from '../../../store/lookups.ts'
import type { HttpDeps } from '../../dialect.ts'
import { readAs } from '../../validation.ts'
import { listQuery } from './schema.ts'

/** An agent that is not there has an empty list. */
export async function pageByAgent<Item>(
  { store }: Pick<HttpDeps, 'store'>,
  request: FastifyRequest,
  read: (
    workspaceId: number,
    filter: { agentId?: number },
    page: OffsetPage,
  ) => Promise<{ data: Item[]; total: number }>,
): Promise<{ data: Item[]; has_more: boolean; total: number }> {
  const { agent_id: agentId, limit, offset } = readAs(listQuery, request.query)
  const workspaceId = request.workspace.id
  const agent = agentId === undefined ? undefined : await store.findAgent(workspaceId, String(agentId))
  if (agent === null) return { data: [], has_more: false, total: 0 }
  const filter = agent === undefined ? {} : { agentId: agent.id }
  const { data, total } = await read(workspaceId, filter, { offset, limit })
  return { data, has_more: offset + data.length < total, total }
}
