// A database that cannot be asked, as a sentence that says what to do.
import { Refusal } from '../../domain/refusal.ts'
import { storeUnavailable } from '../refusals.ts'
import { sqlState } from './transaction.ts'

const nothingDialled = 'Nothing is dialled until it answers again.'

/** By SQLSTATE or its class (https://www.postgresql.org/docs/current/errcodes-appendix.html). */
const sentences: Readonly<Record<string, string>> = {
  '08': `The connection to the database was lost. ${nothingDialled}`,
  '25006': `The database is read-only, as a standby is: DATABASE_URL has to lead to the primary. ${nothingDialled}`,
  '53100': `The disk of the database is full. ${nothingDialled}`,
  '53300': `The database takes no more connections: raise max_connections. ${nothingDialled}`,
  '57014': `The database took too long to answer. ${nothingDialled}`,
  '57P': `The database is starting or shutting down. ${nothingDialled}`,
  '58': `The database has an error of its own disk or system: see its log. ${nothingDialled}`,
}

/** Codes of the network, and what the driver says where it has no code. */
const networkCodes = /^(ECONN|EPIPE|ETIMEDOUT|ENOTFOUND|EAI_AGAIN|EHOST|ENET)/
const driverSays =
  /timeout exceeded when trying to connect|Connection terminated|Query read timeout|connection error|not queryable/

/** Refusal `store_unavailable` for a database that cannot be asked; any other error as it is. */
export function explainDatabase(error: unknown): unknown {
  const sentence = sentenceFor(error)
  return sentence === undefined ? error : storeUnavailable(sentence, error)
}

function sentenceFor(error: unknown): string | undefined {
  if (!(error instanceof Error) || error instanceof Refusal) return undefined
  const state = sqlState(error)
  if (state !== null) return sentences[state] ?? sentences[state.slice(0, 3)] ?? sentences[state.slice(0, 2)]
  const isNetwork = 'code' in error && networkCodes.test(String(error.code))
  if (!isNetwork && !driverSays.test(error.message)) return undefined
  return `The database cannot be reached (${error.message || 'no answer'}): see that it runs and that DATABASE_URL leads to it. ${nothingDialled}`
}
