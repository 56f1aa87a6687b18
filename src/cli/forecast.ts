// What a simulation found, for people and for programs.
import type { Batch } from '../domain/batch.ts'
import { formatDollars } from '../domain/estimate.ts'
import { averageTalkSeconds } from '../domain/progress.ts'
import { type Standing, standings } from '../domain/recipient.ts'
import type { OutputOption } from './program.ts'
import type { Terminal } from './terminal.ts'
import { textTable } from './text-table.ts'

export interface Forecast {
  /** As it stood at its end. */
  batch: Batch
  /** Largest number of calls at one time, as the carrier saw it. */
  openAtMost: number
}

const millicentsPerCent = 1000

export function printForecast(
  forecast: Forecast,
  { output, seed }: OutputOption & { seed: number },
  terminal: Terminal,
): void {
  if (output === 'json') terminal.print(JSON.stringify(asJson(forecast, seed)))
  else for (const line of asLines(forecast)) terminal.print(line)
}

function asJson({ batch, openAtMost }: Forecast, seed: number) {
  const { progress, ingest, totalRecipients, status } = batch
  const { startedAt, completedAt } = span(batch)
  return {
    seed,
    status,
    ingest,
    recipients: totalRecipients,
    startedAt: new Date(startedAt).toISOString(),
    finishedAt: new Date(completedAt).toISOString(),
    durationSeconds: (completedAt - startedAt) / 1000,
    calls: progress.attempts,
    concurrentCallsAtMost: openAtMost,
    averageTalkSeconds: averageTalkSeconds(progress),
    costCents: progress.costMillicents / millicentsPerCent,
    outcomes: Object.fromEntries(outcomes(batch)),
  }
}

function asLines({ batch, openAtMost }: Forecast): string[] {
  const { progress, ingest, totalRecipients } = batch
  const { startedAt, completedAt } = span(batch)
  const perPerson = totalRecipients === 0 ? 0 : progress.attempts / totalRecipients
  const table = textTable(outcomes(batch), [
    { title: 'outcome', cell: ([standing]) => standing },
    { title: 'people', cell: ([, people]) => String(people), align: 'right' },
    { title: 'share', cell: ([, people]) => percent(people, totalRecipients), align: 'right' },
  ])
  return [
    `people    ${totalRecipients} of ${ingest.rows} rows (invalid ${ingest.invalid}, duplicate ${ingest.duplicate})`,
    `starts    ${minuteOf(startedAt)}`,
    `finishes  ${minuteOf(completedAt)}, after ${spanWords(completedAt - startedAt)}`,
    `calls     ${progress.attempts} (${perPerson.toFixed(2)} a person), at most ${openAtMost} at a time`,
    `talk      ${averageTalkSeconds(progress)} s on average`,
    `cost      ${formatDollars(progress.costMillicents)}`,
    '',
    ...table,
  ]
}

/** Only what occurred, in the order of the standings. */
function outcomes({ progress }: Batch): [Standing, number][] {
  return standings
    .map((standing): [Standing, number] => [standing, progress.counts[standing]])
    .filter(([, people]) => people > 0)
}

function span({ startedAt, completedAt, createdAt, updatedAt }: Batch) {
  return { startedAt: startedAt ?? createdAt, completedAt: completedAt ?? updatedAt }
}

function percent(part: number, whole: number): string {
  return `${((100 * part) / Math.max(1, whole)).toFixed(1)}%`
}

/** `2027-03-01 09:00 UTC` */
function minuteOf(at: number): string {
  return `${new Date(at).toISOString().slice(0, 16).replace('T', ' ')} UTC`
}

/** `1 d 3 h 20 min`, `45 s` */
function spanWords(ms: number): string {
  const seconds = Math.round(ms / 1000)
  if (seconds < 60) return `${seconds} s`
  const minutes = Math.round(seconds / 60)
  const parts = [
    [Math.floor(minutes / 1440), 'd'],
    [Math.floor((minutes % 1440) / 60), 'h'],
    [minutes % 60, 'min'],
  ] as const
  return parts
    .filter(([count]) => count > 0)
    .map(([count, unit]) => `${count} ${unit}`)
    .join(' ')
}
