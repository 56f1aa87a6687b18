// The configuration: what is read, what is refused, and in which words.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { readClientConfig, readConfig, unknownVariables } from '../../src/config.ts'
import { ConfigError } from '../../src/runtime/config-error.ts'

test('an empty environment gives the documented defaults', () => {
  assert.deepEqual(readConfig({}), {
    host: '127.0.0.1',
    port: 8080,
    role: 'all',
    dataDir: './data',
    databaseUrl: null,
    recordingsDir: null,
    apiKey: null,
    rootDialect: null,
    logLevel: 'info',
    shutdownGraceMs: 30_000,
    maxUploadBytes: 100_000_000,
    maxRows: 1_000_000,
    repeatWindowMs: 60_000,
    simulated: {},
    calls: {
      sipHost: '0.0.0.0',
      sipPort: 5060,
      sipTlsPort: 5061,
      tls: { ca: null, certificate: null },
      publicAddress: null,
      rtpPorts: { first: 16_384, last: 32_766 },
      mediaWorkers: null,
      audioDir: null,
      openaiApiKey: null,
    },
    publicUrl: null,
    webhookAllowPrivate: false,
    rates: { pipelineMillicents: 3_500, realtimeMillicents: 7_000 },
  })
})

test('every setting is taken from its variable', () => {
  const config = readConfig({
    PORT: '9000',
    HOST: '0.0.0.0',
    OUTDIAL_DATA_DIR: '/var/lib/outdial',
    DATABASE_URL: 'postgresql://outdial:secret@db.example:5432/outdial?sslmode=verify-full',
    OUTDIAL_RECORDINGS_DIR: '/srv/recordings',
    OUTDIAL_ROLE: 'caller',
    OUTDIAL_API_KEY: 'a-key-of-twenty-chars',
    OUTDIAL_ROOT_DIALECT: 'dialnexa',
    OUTDIAL_LOG_LEVEL: 'warn',
    OUTDIAL_SHUTDOWN_GRACE_MS: '0',
    OUTDIAL_MAX_UPLOAD_BYTES: '5000',
    OUTDIAL_MAX_ROWS: '10',
    OUTDIAL_REPEAT_WINDOW_MS: '0',
    OUTDIAL_SIM_SEED: '7',
    OUTDIAL_SIM_SPEED: '2.5',
    OUTDIAL_SIM_ANSWER_RATE: '0.9',
    OUTDIAL_SIM_CARRIER: '127.0.0.1:7070',
    OUTDIAL_SIP_HOST: '192.0.2.1',
    OUTDIAL_SIP_PORT: '5080',
    OUTDIAL_SIP_TLS_PORT: '5443',
    OUTDIAL_PUBLIC_ADDRESS: '203.0.113.7',
    OUTDIAL_RTP_PORTS: '20000-20998',
    OUTDIAL_MEDIA_WORKERS: '4',
    OUTDIAL_AUDIO_DIR: '/srv/audio',
    OPENAI_API_KEY: 'sk-test',
    OUTDIAL_PUBLIC_URL: 'https://calls.example.com/',
    OUTDIAL_WEBHOOK_ALLOW_PRIVATE: 'true',
    OUTDIAL_RATE_PIPELINE_CENTS: '1.25',
    OUTDIAL_RATE_REALTIME_CENTS: '10',
  })
  assert.deepEqual(config, {
    host: '0.0.0.0',
    port: 9000,
    role: 'caller',
    dataDir: '/var/lib/outdial',
    databaseUrl: 'postgresql://outdial:secret@db.example:5432/outdial?sslmode=verify-full',
    recordingsDir: '/srv/recordings',
    apiKey: 'a-key-of-twenty-chars',
    rootDialect: 'dialnexa',
    logLevel: 'warn',
    shutdownGraceMs: 0,
    maxUploadBytes: 5_000,
    maxRows: 10,
    repeatWindowMs: 0,
    simulated: { seed: 7, speedFactor: 2.5, answerRate: 0.9, address: '127.0.0.1:7070' },
    calls: {
      sipHost: '192.0.2.1',
      sipPort: 5_080,
      sipTlsPort: 5_443,
      tls: { ca: null, certificate: null },
      publicAddress: '203.0.113.7',
      rtpPorts: { first: 20_000, last: 20_998 },
      mediaWorkers: 4,
      audioDir: '/srv/audio',
      openaiApiKey: 'sk-test',
    },
    publicUrl: 'https://calls.example.com',
    webhookAllowPrivate: true,
    rates: { pipelineMillicents: 1_250, realtimeMillicents: 10_000 },
  })
})

test('all problems are named at once, each with its variable and what it must be', () => {
  const wrong = {
    PORT: 'http',
    DATABASE_URL: 'postgresql://outdial:secret@db.example,standby.example/outdial',
    OUTDIAL_API_KEY: 'short',
    OUTDIAL_ROOT_DIALECT: 'esperanto',
    OUTDIAL_MAX_ROWS: '1.5',
    OUTDIAL_SIM_ANSWER_RATE: '72',
    OUTDIAL_SIM_CARRIER: 'somewhere',
    OUTDIAL_URL: 'ftp://example.org',
  }
  assert.throws(
    () => readConfig(wrong),
    (error: unknown) => {
      assert.ok(error instanceof ConfigError)
      assert.deepEqual(
        error.problems.map(({ name }) => name),
        Object.keys(wrong),
      )
      assert.equal(
        error.message,
        [
          'The configuration has 8 problems:',
          '  PORT: must be a number',
          '  DATABASE_URL: must be like postgresql://user:password@host:5432/database',
          '  OUTDIAL_API_KEY: must have at least 20 characters',
          '  OUTDIAL_ROOT_DIALECT: must be one of formant, dialnexa, talkifai',
          '  OUTDIAL_MAX_ROWS: must be a whole number',
          '  OUTDIAL_SIM_ANSWER_RATE: must be at most 1',
          '  OUTDIAL_SIM_CARRIER: must be 127.0.0.1 and a port, e.g. 127.0.0.1:7070',
          '  OUTDIAL_URL: must be an http or https address',
        ].join('\n'),
      )
      return true
    },
  )
})

test('a range of ports that audio could not use is refused', () => {
  for (const ports of ['20001-20100', '20000', '20000-19000', '32000-40000', 'all'])
    assert.throws(
      () => readConfig({ OUTDIAL_RTP_PORTS: ports }),
      /OUTDIAL_RTP_PORTS: must be like 16384-32766/,
    )
})

test('a wrong API key is not printed back', () => {
  assert.throws(
    () => readConfig({ OUTDIAL_API_KEY: 'my secret' }),
    (error: Error) => !error.message.includes('my secret'),
  )
})

test('an empty variable is an unset one', () => {
  assert.equal(readConfig({ PORT: '', OUTDIAL_API_KEY: ' ' }).port, 8080)
})

test('the command line looks for the server on this machine at PORT unless OUTDIAL_URL says otherwise', () => {
  assert.equal(readClientConfig({}).url, 'http://127.0.0.1:8080')
  assert.equal(readClientConfig({ PORT: '9000' }).url, 'http://127.0.0.1:9000')
  assert.equal(
    readClientConfig({ PORT: '9000', OUTDIAL_URL: 'https://calls.example' }).url,
    'https://calls.example',
  )
})

test('a variable that only looks like a setting is named', () => {
  assert.deepEqual(unknownVariables({ OUTDIAL_APIKEY: 'x', OUTDIAL_URL: 'http://a', HOME: '/root' }), [
    'OUTDIAL_APIKEY',
  ])
})
