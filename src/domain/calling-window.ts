// When we may ring: weekdays and hours in the recipient's own zone, checked when the call is placed.

/** Open from `from` (included) to `to` (excluded) on `days`. `to` may be `24:00`. Several spans add up. */
export interface CallingSpan {
  /** ISO weekdays, 1 = Monday … 7 = Sunday. */
  days: readonly number[]
  /** `HH:MM` */
  from: string
  /** `HH:MM`, later than `from` */
  to: string
}
export type CallingWindow = readonly CallingSpan[]
