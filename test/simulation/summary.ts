// What a run of many seeds comes to, in words.
import type { LifeReport } from './life.ts'
import { addFigures, type Figures, noFigures } from './story.ts'

export class Summary {
  readonly figures: Figures = noFigures()
  readonly broken: LifeReport[] = []
  lives = 0

  add(report: LifeReport): void {
    this.lives++
    addFigures(this.figures, report.figures)
    if (report.violation !== null) this.broken.push(report)
  }

  text(tookMs: number): string {
    const { dials, answers, crashes, sleeps, clockJumps, lostAcks, storeFailures, carrierLies } = this.figures
    const { rescues, orders, events, deliveries, checks } = this.figures
    const seconds = tookMs / 1_000
    return [
      `${count(this.lives)} lives in ${seconds.toFixed(1)} s (${(this.lives / seconds).toFixed(1)}/s), ${this.broken.length} broken`,
      `${count(dials)} dials, ${count(answers)} answered; ${count(orders)} orders of people in charge`,
      `${count(crashes)} nodes died, ${count(sleeps)} slept, ${count(clockJumps)} clocks jumped`,
      `${count(storeFailures)} calls of the store failed, ${count(lostAcks)} were done and not acknowledged`,
      `${count(carrierLies)} calls met a carrier that lied, was late or deaf; ${count(rescues)} rescues`,
      `${count(checks)} checks; ${count(events)} events read, ${count(deliveries)} delivered by webhook`,
    ].join('\n')
  }
}

/** What somebody needs who wants to know why. */
export function storyOf({ seed, violation, lastLines }: LifeReport): string {
  return [
    `Seed ${seed} broke "${violation?.promise}": ${violation?.what}`,
    ...lastLines.map(line => `  ${line}`),
    `Replay: npm run simulate:faults -- --seed ${seed} --verbose`,
  ].join('\n')
}

const count = (number: number) => number.toLocaleString('en')
