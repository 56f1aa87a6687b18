// A batch's progress on one line: a bar that is redrawn on a terminal, plain lines wherever output is kept.
import type { Terminal } from './terminal.ts'

/** How many stand where; keys are standings. */
export type StandingCounts = Readonly<Record<string, number>>

export interface BatchProgress {
  name: string
  status: string
  total: number
  counts: StandingCounts
}

export interface ProgressView {
  show(progress: BatchProgress): void
  /** Leaves the last state standing and ends the line. */
  end(): void
}

/** Standings in which more is to come. */
const unfinished = ['queued', 'calling', 'waiting'] as const
const fullBlock = '█'
const emptyBlock = '░'
const gap = '  '
const itemGap = ' · '
const ellipsis = '…'
const maxBarWidth = 30
const minBarWidth = 12
/** A plain line each tenth of the way: enough to follow, few enough for a log. */
const plainSteps = 10

/** The view that fits where stderr goes. */
export function progressView(terminal: Terminal): ProgressView {
  return terminal.isLive ? liveView(terminal) : plainView(terminal)
}

export function finishedCount({ total, counts }: BatchProgress): number {
  return total - unfinished.reduce((sum, standing) => sum + (counts[standing] ?? 0), 0)
}

/** One line of at most `columns` characters. */
export function progressLine(progress: BatchProgress, columns: number): string {
  const done = finishedCount(progress)
  const { total } = progress
  const share = total === 0 ? 1 : done / total
  const numbers = `${String(done).padStart(String(total).length)}/${total}`
  const room = columns - 1 - numbers.length - 2 * gap.length
  const words = fitting(countItems(progress.counts), room - minBarWidth).join(itemGap)
  const width = Math.max(0, Math.min(maxBarWidth, room - words.length))
  const filled = Math.floor(share * width)
  const bar = fullBlock.repeat(filled) + emptyBlock.repeat(width - filled)
  return [bar, numbers, words].join(gap).trimEnd()
}

/** `calling 5 · waiting 2 · answered 12 · busy 1`: what is under way first, then how the finished ones ended. */
export function countWords(counts: StandingCounts): string {
  return countItems(counts).join(itemGap)
}

function countItems(counts: StandingCounts): string[] {
  const ended = Object.keys(counts).filter(standing => !(unfinished as readonly string[]).includes(standing))
  return ['calling', 'waiting', ...ended]
    .filter(standing => (counts[standing] ?? 0) > 0)
    .map(standing => `${standing} ${counts[standing]}`)
}

/** The first items, as many as fit into `columns`; an ellipsis stands for the rest. */
function fitting(items: readonly string[], columns: number): string[] {
  if (items.join(itemGap).length <= columns) return [...items]
  const shown = [...items]
  while (shown.length > 0 && [...shown, ellipsis].join(itemGap).length > columns) shown.pop()
  return shown.length === 0 ? [] : [...shown, ellipsis]
}

function liveView(terminal: Terminal): ProgressView {
  let last = ''
  return {
    show(progress) {
      last = progressLine(progress, terminal.columns)
      terminal.redraw(last)
    },
    end() {
      terminal.redraw('')
      if (last !== '') terminal.note(last)
    },
  }
}

function plainView(terminal: Terminal): ProgressView {
  let shown = ''
  return {
    show(progress) {
      const done = finishedCount(progress)
      const step = progress.total === 0 ? plainSteps : Math.floor((done / progress.total) * plainSteps)
      const state = `${progress.status} ${step}`
      if (state === shown) return
      shown = state
      terminal.note(
        `${progress.name}: ${progress.status}, ${done}/${progress.total}  ${countWords(progress.counts)}`.trimEnd(),
      )
    },
    end() {},
  }
}
