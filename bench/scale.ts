// 100 million people a day, on paper: node bench/scale.ts prints the tables of docs/scale.md from what the other benchmarks
// measured and from what is assumed. Change a number here and run `node scripts/make-docs.ts`.

interface Given {
  value: number
  unit: string
  what: string
  /** The benchmark that measured it, or why it is assumed. */
  from: string
}

const dispatchBench = 'bench/postgres-dispatch.ts'
const millionBench = 'bench/million-postgres.ts'

/** On the machine of bench/RESULTS.md: 2 virtual cores, shared by four nodes and the database. */
const measured = {
  sqliteCallsPerSecond: {
    value: 17_900,
    unit: 'calls/s',
    what: 'one node on SQLite, whole life cycles',
    from: 'bench/dispatch.ts',
  },
  databaseCallsPerSecond: {
    value: 9_180,
    unit: 'calls/s',
    what: 'four nodes on one PostgreSQL, whole life cycles',
    from: millionBench,
  },
  commitsPerSecond: {
    value: 17_800,
    unit: 'commits/s',
    what: 'PostgreSQL, one row each, 16 connections',
    from: dispatchBench,
  },
  importRowsPerSecond: {
    value: 59_400,
    unit: 'people/s',
    what: 'people stored, one import at a time',
    from: millionBench,
  },
  rowsPerPerson: { value: 2, unit: 'rows', what: 'written when a person is stored', from: millionBench },
  walBytesPerPerson: { value: 580, unit: 'bytes', what: 'log when a person is stored', from: millionBench },
  storedBytesPerPerson: { value: 390, unit: 'bytes', what: 'kept for a person', from: millionBench },
  rowsPerCall: {
    value: 7,
    unit: 'rows',
    what: 'inserted, updated and deleted by a call',
    from: millionBench,
  },
  walBytesPerCall: { value: 2_260, unit: 'bytes', what: 'log of a call', from: millionBench },
  storedBytesPerCall: { value: 730, unit: 'bytes', what: 'kept of a call', from: millionBench },
  pagesPerCall: { value: 0.29, unit: 'pages of 8 kB', what: 'written by a call', from: millionBench },
  flushesPerCall: {
    value: 0.023,
    unit: 'flushes',
    what: 'of the log for a call, many to a commit',
    from: millionBench,
  },
  nodeMemoryMb: { value: 254, unit: 'MB', what: 'of a node without media, at most', from: millionBench },
  linesPerCore: {
    value: 500,
    unit: 'lines',
    what: 'of two-way audio on a core with p99 lateness under 5 ms',
    from: 'bench/rtp-lines.ts',
  },
  signallingMicros: {
    value: 199,
    unit: 'µs',
    what: 'of processor for the SIP of a call',
    from: 'bench/sip-calls.ts',
  },
} as const satisfies Record<string, Given>

const assumed = {
  people: { value: 100_000_000, unit: 'people/day', what: 'to call', from: 'the question' },
  callsPerPerson: {
    value: 1.3,
    unit: 'calls',
    what: 'for a person, retries included',
    from: 'two in three answer or decline at once',
  },
  answered: { value: 0.4, unit: 'of calls', what: 'are answered', from: 'a cold list reaches less' },
  talkSeconds: { value: 90, unit: 's', what: 'of talk in an answered call', from: 'a short conversation' },
  ringSeconds: { value: 20, unit: 's', what: 'of ringing in any call', from: 'four or five rings' },
  callingHours: {
    value: 12,
    unit: 'hours',
    what: 'in which all calls are placed',
    from: '8:00 to 21:00 in one zone, less the edges',
  },
  peak: { value: 1.5, unit: '× average', what: 'in the busiest minutes', from: 'lists start on the hour' },
  headroom: {
    value: 0.5,
    unit: 'of the measured rate',
    what: 'is planned for',
    from: 'vacuum, backups, one machine of two lost',
  },
  keptDays: { value: 30, unit: 'days', what: 'that calls and people are kept', from: 'retention' },
  coresPerNode: { value: 8, unit: 'cores', what: 'in a media machine', from: 'a common size' },
  lineKbit: {
    value: 87,
    unit: 'kbit/s',
    what: 'of G.711 each way, headers included',
    from: '50 packets of 218 bytes a second',
  },
} as const satisfies Record<string, Given>

/** US dollars. Put your own in: they are of the right order, and no offer of anybody's. */
const prices = {
  coreHour: {
    value: 0.04,
    unit: '$',
    what: 'a virtual core for an hour',
    from: 'list prices of large clouds',
  },
  gbMonth: { value: 0.1, unit: '$', what: 'a GB of solid-state disk for a month', from: 'the same' },
  thousandIopsMonth: { value: 5, unit: '$', what: '1,000 provisioned IOPS for a month', from: 'the same' },
  telephoneMinute: {
    value: 0.006,
    unit: '$',
    what: 'a minute of an answered call',
    from: 'wholesale termination, United States',
  },
} as const satisfies Record<string, Given>

const databaseCores = 2
const hoursPerDay = 24
const daysPerMonth = 30
const [mega, giga, tera] = [1e6, 1e9, 1e12]

/** The tables, as Markdown. */
export function renderScale(): string {
  return [
    `**Measured**\n\n${tableOfGiven(measured)}`,
    `**Assumed**\n\n${tableOfGiven(assumed)}`,
    `**Prices**\n\n${tableOfGiven(prices)}`,
    `**What follows**\n\n${table(['', 'figure', 'how'], figures())}`,
  ].join('\n\n')
}

type Line = readonly [what: string, figure: string, how: string]

function figures(): Line[] {
  const load = loadOf()
  return [...loadLines(load), ...databaseLines(load), ...machineLines(load), ...costLines(load)]
}

function loadOf() {
  const { people, callsPerPerson, callingHours, peak, answered, talkSeconds, ringSeconds } = valuesOf(assumed)
  const calls = people * callsPerPerson
  const average = calls / (callingHours * 3_600)
  const peakCalls = average * peak
  const talkMinutes = (calls * answered * talkSeconds) / 60
  const databases = Math.ceil(peakCalls / (measured.databaseCallsPerSecond.value * assumed.headroom.value))
  const talking = peakCalls * answered * talkSeconds
  const mediaCores = talking / (measured.linesPerCore.value * assumed.headroom.value)
  return {
    people,
    calls,
    average,
    peakCalls,
    talkMinutes,
    databases,
    open: peakCalls * ringSeconds + talking,
    talking,
    mediaNodes: Math.ceil(mediaCores / assumed.coresPerNode.value),
    storedPerDay: people * measured.storedBytesPerPerson.value + calls * measured.storedBytesPerCall.value,
    walPerDay: people * measured.walBytesPerPerson.value + calls * measured.walBytesPerCall.value,
    iops: peakCalls * (measured.pagesPerCall.value + measured.flushesPerCall.value),
  }
}

type Load = ReturnType<typeof loadOf>

function loadLines({ calls, average, peakCalls, open, talking, people }: Load): Line[] {
  const importing = people / (assumed.callingHours.value * 3_600)
  return [
    ['calls a day', round(calls / mega, 'million'), 'people × calls for a person'],
    ['calls a second', `${count(average)}, at the peak ${count(peakCalls)}`, 'spread over the calling hours'],
    ['people stored a second', count(importing), 'lists come while others are called'],
    ['open calls at the peak', count(open), 'peak × (ringing + answered × talk)'],
    ['of them talking', count(talking), 'peak × answered × talk'],
  ]
}

function databaseLines({ people, calls, peakCalls, databases, storedPerDay, walPerDay, iops }: Load): Line[] {
  const rows = people * measured.rowsPerPerson.value + calls * measured.rowsPerCall.value
  const walPeak = peakCalls * measured.walBytesPerCall.value
  return [
    ['databases', count(databases), 'peak ÷ (measured rate × headroom)'],
    ['rows written a day', round(rows / giga, 'billion'), 'of people and of calls'],
    [
      'log a day',
      `${round(walPerDay / giga, 'GB')}, for each database ${round(walPerDay / databases / giga, 'GB')}`,
      'what a replica or an archive receives',
    ],
    [
      'log at the peak',
      `${round(walPeak / mega, 'MB/s')}, for each database ${round(walPeak / databases / mega, 'MB/s')}`,
      'calls alone',
    ],
    [
      'writes to disk at the peak',
      `${count(iops)} IOPS, for each database ${count(iops / databases)}`,
      'pages and flushes of the log',
    ],
    ['stored a day', round(storedPerDay / giga, 'GB'), 'people and calls, indexes and events included'],
    [
      'stored at any time',
      `${round((storedPerDay * assumed.keptDays.value) / tera, 'TB')}, for each database ${round((storedPerDay * assumed.keptDays.value) / databases / giga, 'GB')}`,
      'stored a day × days kept',
    ],
  ]
}

function machineLines({ peakCalls, talking, mediaNodes }: Load): Line[] {
  const { linesPerCore, signallingMicros } = valuesOf(measured)
  return [
    ['cores for audio', count(talking / linesPerCore), 'talking ÷ lines of a core'],
    ['calling nodes', count(mediaNodes), 'cores for audio ÷ headroom ÷ cores of a node'],
    [
      'cores for signalling',
      ((peakCalls * signallingMicros) / mega).toFixed(1),
      'peak × processor time of a call: on the same nodes',
    ],
    [
      'network at the peak',
      round((talking * assumed.lineKbit.value * 1_000) / giga, 'Gbit/s each way'),
      'talking × G.711',
    ],
  ]
}

function costLines({ talkMinutes, databases, mediaNodes, storedPerDay, iops }: Load): Line[] {
  const { coreHour, gbMonth, thousandIopsMonth, telephoneMinute } = valuesOf(prices)
  const nodes = mediaNodes * assumed.coresPerNode.value * hoursPerDay * coreHour
  const servers = databases * databaseCores * hoursPerDay * coreHour
  const disks =
    (((storedPerDay * assumed.keptDays.value) / giga) * gbMonth + (iops / 1_000) * thousandIopsMonth) /
    daysPerMonth
  const machines = nodes + servers + disks
  const telephone = talkMinutes * telephoneMinute
  return [
    ['calling nodes a day', money(nodes), 'cores × 24 hours'],
    [
      'databases a day',
      `${money(servers)} and ${money(disks)} of disk`,
      `${databaseCores} cores each, GB and IOPS`,
    ],
    [
      'machines for 1,000 people',
      `$${((machines / assumed.people.value) * 1_000).toFixed(4)}`,
      'all of the above',
    ],
    [
      'telephone minutes a day',
      `${round(talkMinutes / mega, 'million')}: ${money(telephone)}`,
      'answered × talk',
    ],
    [
      'machines ÷ telephone',
      `${((100 * machines) / telephone).toFixed(2)}%`,
      'without the AI that talks, which costs more than both',
    ],
  ]
}

function valuesOf<Names extends string>(given: Record<Names, Given>): Record<Names, number> {
  const entries = (Object.entries(given) as [Names, Given][]).map(([name, { value }]) => [name, value])
  return Object.fromEntries(entries) as Record<Names, number>
}

function tableOfGiven(given: Record<string, Given>): string {
  const lines = Object.values(given).map(
    ({ value, unit, what, from }) =>
      [
        what,
        unit === '$' ? `$${value}` : `${value.toLocaleString('en-US')} ${unit}`.trim(),
        sourceOf(from),
      ] as const,
  )
  return table(['', 'figure', 'from'], lines)
}

const sourceOf = (from: string) => (from.startsWith('bench/') ? `\`${from}\`` : from)

function table(head: readonly string[], lines: readonly Line[]): string {
  const rows = [head, ...lines].map(cells => `| ${cells.join(' | ')} |`)
  return [rows[0], `|${'---|'.repeat(head.length)}`, ...rows.slice(1)].join('\n')
}

const count = (value: number) => Math.round(value).toLocaleString('en-US')
const round = (value: number, unit: string) =>
  `${value >= 100 ? count(value) : Number(value.toPrecision(3)).toLocaleString('en-US')} ${unit}`
const money = (value: number) => `$${count(value)}`

if (import.meta.main) console.log(renderScale())
