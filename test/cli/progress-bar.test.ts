// Progress on one line: what a terminal is redrawn with and what a log keeps.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { type BatchProgress, finishedCount, progressLine, progressView } from '../../src/cli/progress-bar.ts'
import { standings } from '../../src/domain/recipient.ts'
import { recordingTerminal } from './recording-terminal.ts'

const halfWay: BatchProgress = {
  name: 'Batch 3',
  status: 'running',
  total: 24,
  counts: { queued: 5, calling: 4, waiting: 3, answered: 11, busy: 1, voicemail: 0 },
}

test('the line shows a bar, how many are finished of how many, and where everybody stands', () => {
  assert.equal(
    progressLine(halfWay, 100),
    '███████████████░░░░░░░░░░░░░░░  12/24  calling 4 · waiting 3 · answered 11 · busy 1',
  )
})

test('a narrow terminal shows the first of the counts, and that there are more', () => {
  assert.equal(progressLine(halfWay, 50), '███████░░░░░░░░  12/24  calling 4 · waiting 3 · …')
})

test('a batch without people is a full bar', () => {
  assert.match(progressLine({ ...halfWay, total: 0, counts: {} }, 80), /^█+ {2}0\/0/)
})

test('the line never wraps, and the bar is as full as the share that is finished', () => {
  const counts = fc.dictionary(fc.constantFrom(...standings), fc.nat(5_000_000))
  fc.assert(
    fc.property(counts, fc.integer({ min: 20, max: 300 }), (someCounts, columns) => {
      const total = Object.values(someCounts).reduce((sum, count) => sum + count, 0)
      const progress = { ...halfWay, total, counts: someCounts }
      const line = progressLine(progress, columns)
      assert.ok(line.length < columns)
      const bar = /^[█░]*/.exec(line)![0]
      if (finishedCount(progress) < total) assert.ok(bar.length === 0 || bar.endsWith('░'))
    }),
  )
})

test('a terminal sees one line that is redrawn, and the last state stays', () => {
  const terminal = recordingTerminal({ isLive: true })
  const view = progressView(terminal)
  view.show(halfWay)
  view.show({ ...halfWay, counts: { answered: 24 } })
  view.end()
  assert.equal(terminal.drawn.length, 3)
  assert.match(terminal.notes[0]!, /24\/24 {2}answered 24$/)
})

test('where stderr is kept, a line is written only when a tenth is done or the status changes', () => {
  const terminal = recordingTerminal({ isLive: false })
  const view = progressView(terminal)
  for (let done = 0; done <= 100; done++) {
    view.show({
      name: 'Batch 1',
      status: 'running',
      total: 100,
      counts: { queued: 100 - done, answered: done },
    })
  }
  view.show({ name: 'Batch 1', status: 'completed', total: 100, counts: { answered: 100 } })
  view.end()
  assert.equal(terminal.notes.length, 12)
  assert.equal(terminal.notes[0], 'Batch 1: running, 0/100')
  assert.equal(terminal.notes.at(-1), 'Batch 1: completed, 100/100  answered 100')
  assert.deepEqual(terminal.drawn, [])
})
