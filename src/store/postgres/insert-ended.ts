// Ended attempts as they are kept: one row each, written once.
import type { EndedAttempt } from '../dispatch-records.ts'
import type { Settled } from '../ended-attempts.ts'
import type { Row } from '../rows.ts'
import type { Transaction } from './transaction.ts'

/** An ended attempt with its row of open_attempts. */
export interface Closed {
  row: Row
  ended: EndedAttempt
  live: boolean
}

/** One that counts: it is settled. */
export interface Counted extends Closed {
  settled: Settled
}

export function insertEnded(tx: Transaction, counted: readonly Counted[]): Promise<unknown> {
  const rows = (column: string) => counted.map(({ row }) => row[column])
  const outcomes = counted.map(({ ended: { outcome } }) => outcome)
  return tx.change(
    `INSERT INTO attempts (id, workspace_id, batch_id, recipient_id, trunk_id, phone_number_id, ordinal, call_id,
       dialed_at, answered_at, ended_at, disposition, cause, sip_status, q850, fault, retryable, cost_millicents)
     SELECT * FROM unnest($1::bigint[], $2::bigint[], $3::bigint[], $4::bigint[], $5::bigint[], $6::bigint[], $7::integer[],
       $8::text[], $9::bigint[], $10::bigint[], $11::bigint[], $12::text[], $13::text[], $14::integer[], $15::integer[],
       $16::text[], $17::boolean[], $18::bigint[])`,
    [
      rows('id'),
      rows('workspace_id'),
      rows('batch_id'),
      rows('recipient_id'),
      rows('trunk_id'),
      rows('phone_number_id'),
      rows('ordinal'),
      rows('call_id'),
      rows('dialed_at'),
      counted.map(({ settled }) => settled.answeredAt),
      counted.map(({ ended }) => ended.endedAt),
      outcomes.map(({ disposition }) => disposition),
      outcomes.map(({ cause }) => cause),
      outcomes.map(({ sipStatus }) => sipStatus),
      outcomes.map(({ q850 }) => q850),
      outcomes.map(({ fault }) => fault),
      outcomes.map(({ retryable }) => retryable),
      counted.map(({ ended }) => ended.costMillicents),
    ],
  )
}
