// `outdial doctor trunk NAME`: looks at a trunk through the running server, or rings a number of the operator's over it.
import type { ClientConfig } from '../config.ts'
import { connect } from './api-client.ts'
import { CommandFailure } from './failure.ts'
import { drawLadder, type LadderMessage } from './ladder.ts'
import type { OutputOption } from './program.ts'
import type { Terminal } from './terminal.ts'
import { findTrunk } from './trunks.ts'

export interface DoctorTrunkOptions extends OutputOption {
  /** Absent: no call is made. */
  to?: string
  from?: string
  agent?: string
  ringSeconds?: number
  yes: boolean
}

interface ApiTrunkTest {
  verdict: 'ok' | 'warning' | 'failed'
  summary: string
  advice: string[]
  stages: { stage: string; verdict: string; says: string; afterMs: number | null }[]
  attemptId: number | null
  messages: LadderMessage[] | null
}

/** Prints the stages, the ladder, a verdict and what to do. @throws CommandFailure `failed` when the test did */
export async function doctorTrunk(
  name: string,
  options: DoctorTrunkOptions,
  client: ClientConfig,
  terminal: Terminal,
): Promise<void> {
  const { to, from, agent, ringSeconds, output } = options
  const api = connect(client)
  const trunk = await findTrunk(api, name)
  if (to !== undefined) {
    if (!options.yes) await confirm(to, trunk, terminal)
    terminal.note(`Ringing ${to} over ${trunk.name}; this takes up to a minute.`)
  }
  const body = {
    to: to ?? null,
    phoneNumberId: from ?? null,
    agentId: agent ?? null,
    ...(ringSeconds !== undefined && { ringTimeoutMs: ringSeconds * 1_000 }),
  }
  const test = await api.post<ApiTrunkTest>(`/api/v1/trunks/${trunk.id}/test`, { body })
  if (output === 'json') terminal.print(JSON.stringify(test))
  else tell(test, terminal)
  if (test.verdict === 'failed') throw new CommandFailure('failed', `The test of trunk ${trunk.name} failed.`)
}

async function confirm(to: string, trunk: { name: string }, terminal: Terminal): Promise<void> {
  if (terminal.ask === null)
    throw new CommandFailure('usage', 'This rings a telephone: say --yes where nobody can be asked.')
  if (await terminal.ask(`Ring ${to} over ${trunk.name} now? It must be a number of yours. [y/N] `)) return
  throw new CommandFailure('interrupted', 'Nobody was rung.')
}

function tell({ stages, messages, summary, advice }: ApiTrunkTest, terminal: Terminal): void {
  for (const { stage, verdict, says, afterMs } of stages) {
    const when = afterMs === null ? '' : ` (after ${(afterMs / 1_000).toFixed(2)} s)`
    terminal.print(`${verdict.padEnd(8)}${stage}: ${says}${when}`)
  }
  const ladder = drawLadder(messages ?? [], terminal.columns)
  if (ladder.length > 0) for (const line of ['', ...ladder]) terminal.print(line)
  terminal.print('')
  terminal.print(summary)
  for (const sentence of advice) terminal.print(`- ${sentence}`)
}
