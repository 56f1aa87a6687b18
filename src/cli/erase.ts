// `outdial erase`: a person is forgotten by their number.
import type { ClientConfig } from '../config.ts'
import { connect } from './api-client.ts'
import { CommandFailure } from './failure.ts'
import type { OutputOption } from './program.ts'
import type { Terminal } from './terminal.ts'

interface ApiErasure {
  recipients: number
  cancelled: number
  attempts: number
  conversations: number
  recordings: number
  traces: number
  rejectedRows: number
  events: number
  answers: number
  suppressed: boolean
}

export async function erase(
  number: string,
  options: OutputOption & { yes: boolean },
  client: ClientConfig,
  terminal: Terminal,
): Promise<void> {
  if (!options.yes)
    throw new CommandFailure('usage', 'What is erased does not come back: say --yes if that is meant.')
  const erased = await connect(client).post<ApiErasure>('/api/v1/erasures', { body: { number } })
  if (options.output === 'json') return terminal.print(JSON.stringify(erased))
  const { recipients, cancelled, attempts, conversations, recordings, traces } = erased
  terminal.print(`Erased from ${recipients} batches (in ${cancelled} still to be called).`)
  terminal.print(
    `Of ${attempts} calls: ${conversations} transcripts, ${recordings} recordings, ${traces} SIP traces. ` +
      `Masked: ${erased.rejectedRows} refused rows, ${erased.events} events, ${erased.answers} kept answers.`,
  )
  if (erased.suppressed)
    terminal.note('The number stays on the suppression list, so that nobody calls them from the next list.')
}
