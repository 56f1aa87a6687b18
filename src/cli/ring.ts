// `outdial ring NUMBER`: one call to one person, with the variables that the agent may speak of.
import type { ClientConfig } from '../config.ts'
import { connect } from './api-client.ts'
import { CommandFailure } from './failure.ts'
import type { OutputOption } from './program.ts'
import type { Terminal } from './terminal.ts'

interface RingOptions extends OutputOption {
  agent: string
  from?: string
  variable?: string[]
  record: boolean
}

export async function ring(
  number: string,
  { agent, from, variable = [], record, output }: RingOptions,
  client: ClientConfig,
  terminal: Terminal,
): Promise<void> {
  const variables = Object.fromEntries(variable.map(readVariable))
  const body = { phone: number, agentId: agent, phoneNumberId: from ?? null, variables, record }
  const call = await connect(client).post<{ id: number; batchId: number; repeated: boolean }>(
    '/api/v1/calls',
    { body },
  )
  if (output === 'json') return terminal.print(JSON.stringify(call))
  if (call.repeated)
    terminal.note(
      'The same call was asked for within the last minute: this is that call, nobody is rung twice.',
    )
  terminal.print(`Call ${call.id}: \`outdial batches show ${call.batchId}\` says what becomes of it.`)
}

function readVariable(text: string): [name: string, value: string] {
  const at = text.indexOf('=')
  if (at < 1) throw new CommandFailure('usage', `--variable must look like name=Ann, not "${text}".`)
  return [text.slice(0, at), text.slice(at + 1)]
}
