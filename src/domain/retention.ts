// How long what calls leave behind is kept, in days, and from which instant on it is too old.

export interface Retention {
  /** Recordings are removed so many days after their call; null: never. */
  recordingDays: number | null
  /** Transcripts and results, and a recording that is still there with them. */
  transcriptDays: number | null
  eventDays: number | null
  /** Finished batches with their people, after the batch has ended. */
  batchDays: number | null
}

export const defaultRetention: Readonly<Retention> = {
  recordingDays: 90,
  transcriptDays: 180,
  eventDays: 90,
  batchDays: null,
}

const msPerDay = 24 * 3_600_000

/** What happened before this instant (epoch ms) has been kept long enough; null: is kept for ever. */
export function keptSince(days: number | null, now: number): number | null {
  return days === null ? null : now - days * msPerDay
}
