// What of calls is on disk when the process dies: every state, whatever the last line looks like.
import assert from 'node:assert/strict'
import { appendFileSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import type { CallSnapshot } from '../../src/carrier/sip/call.ts'
import { DialogJournal } from '../../src/carrier/sip/dialog-journal.ts'
import { VirtualClock } from '../../src/runtime/virtual-clock.ts'

function journalPath(t: TestContext): string {
  const folder = mkdtempSync(join(tmpdir(), 'outdial-journal-'))
  t.after(() => rmSync(folder, { recursive: true, force: true }))
  return join(folder, 'dialogs.jsonl')
}

function snapshot(callId: string, remoteTag: string | null = null): CallSnapshot {
  const dialog = {
    callId,
    local: '<sip:a@x>;tag=1',
    remote: '<sip:b@y>;tag=2',
    localTag: '1',
    remoteTag: remoteTag ?? '',
    routeSet: [],
    remoteTarget: 'sip:b@y',
    localCSeq: 1,
    remoteCSeq: null,
  }
  return {
    callId,
    hop: { protocol: 'udp', address: '192.0.2.1', port: 5060, serverName: '' },
    invite: { uri: 'sip:b@y', via: 'v', from: 'f', to: 't', routes: [], cseq: 1 },
    dialog: remoteTag === null ? null : dialog,
  }
}

test('after the death of the process each call stands where it stood', t => {
  const path = journalPath(t)
  const clock = new VirtualClock(1_000)
  const journal = new DialogJournal(path, clock)
  journal.changed(snapshot('ringing'))
  journal.changed(snapshot('talking'))
  journal.changed(snapshot('talking', 'far'))
  journal.changed(snapshot('over'))
  journal.ended('over', 'answered')
  const after = new DialogJournal(path, clock)
  t.after(() => [journal, after].map(one => one.close()))
  assert.deepEqual(after.of('ringing'), { state: 'live', snapshot: snapshot('ringing') })
  assert.deepEqual(after.of('talking'), { state: 'live', snapshot: snapshot('talking', 'far') })
  assert.deepEqual(after.of('over'), { state: 'over', end: 'answered', at: 1_000 })
  assert.deepEqual([after.of('never'), journal.isWhole, after.isWhole], [null, false, true])
})

test('a line that was cut short by the crash is passed over, and the next life writes on', t => {
  const path = journalPath(t)
  const clock = new VirtualClock(1_000)
  const journal = new DialogJournal(path, clock)
  journal.changed(snapshot('kept'))
  appendFileSync(path, '{"id":"cut","at":1,"snap')
  const after = new DialogJournal(path, clock)
  after.ended('kept', 'unanswered')
  const third = new DialogJournal(path, clock)
  t.after(() => [journal, after, third].map(one => one.close()))
  assert.deepEqual([third.of('cut'), third.of('kept')?.state], [null, 'over'])
})

test('calls that ended an hour ago are forgotten at the next start', async t => {
  const path = journalPath(t)
  const clock = new VirtualClock(1_000)
  const journal = new DialogJournal(path, clock)
  journal.changed(snapshot('old'))
  journal.ended('old', 'answered')
  await clock.run({ until: 1_000 + 61 * 60_000 })
  const after = new DialogJournal(path, clock)
  t.after(() => [journal, after].map(one => one.close()))
  assert.deepEqual([after.of('old'), readFileSync(path, 'utf8')], [null, ''])
})
