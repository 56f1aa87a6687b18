// Where the recipient of a call stands once it has ended, as its event tells: vendors' webhooks are named after it.
import type { OutboxEvent } from '../../domain/event.ts'
import type { Disposition } from '../../domain/outcome.ts'
import { finalStanding, type Standing } from '../../domain/recipient.ts'

/** null: the event does not tell of the end of a call. */
export function endedStanding({ type, data }: OutboxEvent): Standing | null {
  if (type !== 'attempt.ended') return null
  const { disposition, sipStatus } = data as { disposition: Disposition; sipStatus: number | null }
  return finalStanding({ disposition, sipStatus })
}
