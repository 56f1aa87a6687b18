// Agents' connections: what is wrong with one is said in a clear sentence, and secrets are never shown again.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import {
  checkConnection,
  readAgentSettings,
  settingsForCalls,
  withoutSecrets,
} from '../../src/agent/settings.ts'
import { Refusal } from '../../src/domain/refusal.ts'

const say = [{ say: 'Hello.' }]
const menu = (fields: object) => ({
  kind: 'scripted',
  steps: [{ menu: { say: 'Press 1.', keys: { 1: {} }, ...fields } }],
})

const wrong: [object, string][] = [
  [{}, 'connection.kind must be one of echo, scripted, media-stream, openai-realtime.'],
  [{ kind: 'toString' }, 'connection.kind must be one of echo, scripted, media-stream, openai-realtime.'],
  [{ kind: 'echo', loud: true }, 'connection has unknown fields: loud.'],
  [{ kind: 'media-stream' }, 'connection.url or webhookUrl must be given, and not both.'],
  [
    { kind: 'media-stream', url: 'https://bot.example' },
    'connection.url must be a ws:// or wss:// URL without #.',
  ],
  [{ kind: 'media-stream', url: 'wss://a/#b' }, 'connection.url must be a ws:// or wss:// URL without #.'],
  [{ kind: 'media-stream', url: 7 }, 'connection.url must be a ws:// or wss:// URL without #.'],
  [{ kind: 'media-stream', url: 'wss://a', frameMs: 30 }, 'connection.frameMs must be a multiple of 20.'],
  [{ kind: 'media-stream', url: 'wss://a', frameMs: '20' }, 'connection.frameMs must be a whole number.'],
  [
    { kind: 'media-stream', url: 'wss://a', accountSid: 'AC1' },
    'connection.accountSid must be AC and 32 hex digits, like an account SID of Twilio.',
  ],
  [
    { kind: 'media-stream', url: 'wss://a', headers: { 'a b': 'c' } },
    'connection.headers.a b is no name of a header.',
  ],
  [
    { kind: 'media-stream', url: 'wss://a', headers: { a: 'b\r\nc: d' } },
    'connection.headers.a is no value of a header.',
  ],
  [{ kind: 'openai-realtime', model: '' }, 'connection.model must not be empty.'],
  [{ kind: 'scripted' }, 'connection.steps must be a list of steps.'],
  [{ kind: 'scripted', steps: [] }, 'connection.steps must have a step.'],
  [{ kind: 'scripted', steps: ['Hello.'] }, 'connection.steps[0] must be an object.'],
  [{ kind: 'scripted', steps: [{ say: '' }] }, 'connection.steps[0].say must not be empty.'],
  [
    { kind: 'scripted', steps: [{ sing: 'la' }] },
    'connection.steps[0] does not know sing; it must have exactly one of say, play, pauseMs, listen, menu, digits, set, pressKeys, doNotCallAgain, goTo, hangUp.',
  ],
  [
    { kind: 'scripted', steps: [{ say: 'a', play: 'b.wav' }] },
    'connection.steps[0] must have exactly one of say, play, pauseMs, listen, menu, digits, set, pressKeys, doNotCallAgain, goTo, hangUp.',
  ],
  [
    { kind: 'scripted', steps: [{ play: '../secret.wav' }] },
    'connection.steps[0].play must be the plain name of a .wav file in the audio folder.',
  ],
  [
    { kind: 'scripted', steps: [...say, { goTo: 'nowhere' }] },
    'connection.steps[1].goTo names no step: nowhere.',
  ],
  [
    {
      kind: 'scripted',
      steps: [
        { name: 'a', ...say[0] },
        { name: 'a', ...say[0] },
      ],
    },
    'connection.steps[0].name is the name of two steps.',
  ],
  [menu({ keys: {} }), 'connection.steps[0].menu.keys must name at least one key.'],
  [menu({ keys: { x: {} } }), 'connection.steps[0].menu.keys.x must be one of 0 to 9, * and #.'],
  [menu({ keys: { 1: { goTo: 'b' } } }), 'connection.steps[0].menu.keys.1.goTo names no step: b.'],
  [menu({ play: 'a.wav' }), 'connection.steps[0].menu must have either say or play.'],
  [menu({ timeoutMs: 1 }), 'connection.steps[0].menu.timeoutMs must be at least 500.'],
  [{ kind: 'scripted', steps: say, audioDir: '/etc' }, 'connection.audioDir cannot be set.'],
]

for (const [connection, sentence] of wrong) {
  test(`a connection is refused: ${sentence}`, () => {
    assert.throws(
      () => checkConnection(connection as Record<string, unknown>),
      error => {
        assert.equal(error instanceof Refusal && error.code, 'invalid_agent_connection')
        assert.equal((error as Refusal).message, sentence)
        return true
      },
    )
  })
}

test('a connection is kept as it was given, and read with its defaults', () => {
  const connection = { kind: 'media-stream', url: 'wss://bot.example' }
  assert.equal(checkConnection(connection), connection)
  const read = readAgentSettings(connection)
  assert.equal(read.kind === 'media-stream' && read.frameMs, 20)
})

test('keys, tokens and headers are not shown again', () => {
  const connection = {
    kind: 'media-stream',
    url: 'wss://a',
    authToken: 'secret',
    headers: { Authorization: 'secret' },
  }
  assert.equal(JSON.stringify(withoutSecrets(connection)).includes('secret'), false)
  assert.equal(
    JSON.stringify(withoutSecrets({ kind: 'openai-realtime', apiKey: 'secret' })).includes('secret'),
    false,
  )
  assert.deepEqual(withoutSecrets({ kind: 'media-stream', url: 'wss://me:pass@bot.example/a?token=1' }), {
    kind: 'media-stream',
    url: 'wss://[hidden]@bot.example/a?[hidden]',
  })
  assert.equal(withoutSecrets(null), null)
})

test("prompt, first message and the server's key complete an OpenAI agent", () => {
  const surroundings = { audioDir: '/audio', openaiApiKey: 'ours' }
  const agent = { prompt: 'Be kind.', firstMessage: 'Hello.', connection: { kind: 'openai-realtime' } }
  assert.deepEqual(settingsForCalls(agent, surroundings), {
    kind: 'openai-realtime',
    apiKey: 'ours',
    instructions: 'Be kind.',
    firstMessage: 'Hello.',
  })
  const own = {
    ...agent,
    connection: { kind: 'openai-realtime', apiKey: 'theirs', instructions: 'Be brief.' },
  }
  assert.equal(settingsForCalls(own, surroundings)?.kind, 'openai-realtime')
  assert.deepEqual(
    Object.entries(settingsForCalls(own, surroundings)!).filter(([name]) =>
      ['apiKey', 'instructions'].includes(name),
    ),
    [
      ['apiKey', 'theirs'],
      ['instructions', 'Be brief.'],
    ],
  )
})

test('an agent with a first message alone says it; one with nothing cannot call', () => {
  const surroundings = { audioDir: null, openaiApiKey: null }
  const settings = settingsForCalls({ prompt: null, firstMessage: 'Hello.', connection: null }, surroundings)
  assert.deepEqual(settings, { kind: 'scripted', steps: [{ say: 'Hello.' }] })
  assert.equal(settingsForCalls({ prompt: 'x', firstMessage: null, connection: null }, surroundings), null)
})
