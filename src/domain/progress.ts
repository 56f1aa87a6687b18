// What can be read off a batch's counters: the sums that several dialects print under words of their own.
import { liveStandings, type Progress, type Standing, standings, statusOf } from './recipient.ts'

/** Standings whose recipients were talked to, by person or by machine. */
const reachedStandings: readonly Standing[] = ['answered', 'voicemail']
const finishedStandings = standings.filter(standing => statusOf(standing) === 'finished')

export function emptyProgress(): Progress {
  return {
    counts: Object.fromEntries(standings.map(standing => [standing, 0])) as Record<Standing, number>,
    talkMs: 0,
    attempts: 0,
    endedAttempts: 0,
    failedAttempts: 0,
    costMillicents: 0,
  }
}

/** How many recipients stand at one of `where`. */
export function countAt(progress: Progress, where: Iterable<Standing>): number {
  let sum = 0
  for (const standing of where) sum += progress.counts[standing]
  return sum
}

/** All recipients, wherever they stand. */
export function countAll(progress: Progress): number {
  return countAt(progress, standings)
}

/** Recipients with more to come: queued, calling or waiting. The batch is over when there are none. */
export function countLive(progress: Progress): number {
  return countAt(progress, liveStandings)
}

/** Recipients that were called for the last time, whatever came of it; cancelled and suppressed ones are not among them. */
export function countFinished(progress: Progress): number {
  return countAt(progress, finishedStandings)
}

/** Finished recipients with whom a call was held: answered or voicemail. */
export function countReached(progress: Progress): number {
  return countAt(progress, reachedStandings)
}

/** Finished recipients with whom no call was held. */
export function countUnreached(progress: Progress): number {
  return countFinished(progress) - countReached(progress)
}

/** Mean talk time of the calls that were held, in seconds with one decimal; 0 when there were none. */
export function averageTalkSeconds(progress: Progress): number {
  const held = countReached(progress)
  return held === 0 ? 0 : roundToTenth(progress.talkMs / held / 1000)
}

/** `part` of `whole` in percent with one decimal; 0 of nothing is 0. */
export function percentOf(part: number, whole: number): number {
  return whole === 0 ? 0 : roundToTenth((part / whole) * 100)
}

function roundToTenth(value: number): number {
  return Math.round(value * 10) / 10
}
