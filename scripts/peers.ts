// The programs from outside npm that tests run against: found, installed where that is possible, or named as missing.
import { spawnSync } from 'node:child_process'

export interface Peer {
  name: string
  /** A command that succeeds exactly when the peer is there. */
  probe: readonly [string, ...string[]]
  /** Or several, separated by spaces. */
  debianPackage: string
  neededFor: string
}

export const peers: readonly Peer[] = [
  {
    name: 'curl',
    probe: ['curl', '--version'],
    debianPackage: 'curl',
    neededFor: "the vendors' curl samples",
  },
  {
    name: 'Python 3 with requests',
    // Debian's own Python first: that is where its package goes, whatever else is on the PATH.
    probe: ['sh', '-c', '/usr/bin/python3 -c "import requests" || python3 -c "import requests"'],
    debianPackage: 'python3-requests',
    neededFor: "the vendors' Python samples",
  },
  {
    name: 'SIPp',
    probe: ['sh', '-c', 'command -v sipp'],
    debianPackage: 'sip-tester',
    neededFor: 'calls to a SIP program that is not ours',
  },
  {
    name: 'Kamailio with TLS',
    probe: ['sh', '-c', 'command -v kamailio && ls /usr/lib/*/kamailio/modules/tls.so'],
    debianPackage: 'kamailio kamailio-tls-modules',
    neededFor: 'calls through a carrier with digest, Record-Route and TLS',
  },
  {
    name: 'baresip',
    probe: ['sh', '-c', 'command -v baresip && ls /usr/lib/baresip/modules/ctrl_tcp.so'],
    debianPackage: 'baresip-core',
    neededFor: 'telephones that are not ours, with audio, keys and recordings of what they hear',
  },
  {
    name: 'OpenSSL',
    probe: ['sh', '-c', 'command -v openssl'],
    debianPackage: 'openssl',
    neededFor: 'the certificates of SIP over TLS',
  },
  {
    name: 'SoX',
    probe: ['sh', '-c', 'command -v sox'],
    debianPackage: 'sox',
    neededFor: 'recordings as another program reads them',
  },
  {
    name: 'PostgreSQL',
    probe: [
      'sh',
      '-c',
      '[ -n "$OUTDIAL_TEST_DATABASE_URL" ] || command -v initdb || ls /usr/lib/postgresql/*/bin/initdb',
    ],
    debianPackage: 'postgresql',
    neededFor: 'the store for many machines',
  },
]

/** Installs through apt what is missing, where this is a Debian and we are root; returns what is still missing. */
export function provide(wanted: readonly Peer[] = peers): Peer[] {
  const missing = wanted.filter(peer => !isThere(peer))
  if (missing.length === 0 || !canInstall()) return missing
  const packages = missing.flatMap(peer => peer.debianPackage.split(' '))
  console.error(`Installing what the tests need: ${packages.join(', ')}`)
  const apt = (...args: string[]) =>
    spawnSync('apt-get', ['-qq', '-y', ...args], {
      stdio: ['ignore', 'ignore', 'inherit'],
      env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive' },
    }).status === 0
  const install = () => apt('install', '--no-install-recommends', ...packages)
  if (!install()) {
    apt('update')
    install()
  }
  return missing.filter(peer => !isThere(peer))
}

function isThere({ probe: [command, ...args] }: Peer): boolean {
  return spawnSync(command, args, { stdio: 'ignore' }).status === 0
}

function canInstall(): boolean {
  return process.getuid?.() === 0 && spawnSync('apt-get', ['--version'], { stdio: 'ignore' }).status === 0
}
