// The certificate files of SIP over TLS, read and checked once at the start: a wrong one is said then, not at the first call.
import { createPrivateKey, type KeyObject, X509Certificate } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { ConfigError } from './config-error.ts'

/** PEM texts. */
export interface TlsFiles {
  /** Authorities trusted beside the usual ones; null: none. */
  ca: string | null
  /** Ours; null: nobody can open a TLS connection to us. */
  certificate: { cert: string; key: string } | null
}

/** A setting and the path in it; undefined: not set. */
interface FileSetting {
  name: string
  path: string | undefined
}

/** @throws ConfigError naming the first setting that is wrong */
export function readTlsFiles(settings: { ca: FileSetting; cert: FileSetting; key: FileSetting }): TlsFiles {
  const ca = readPem(settings.ca)
  if (ca !== null) readCertificate(settings.ca, ca)
  const [cert, key] = [readPem(settings.cert), readPem(settings.key)]
  if (cert === null && key === null) return { ca, certificate: null }
  if (cert === null) throw wrong(settings.cert, `must be set together with ${settings.key.name}`)
  if (key === null) throw wrong(settings.key, `must be set together with ${settings.cert.name}`)
  const certificate = readCertificate(settings.cert, cert)
  if (!certificate.checkPrivateKey(readKey(settings.key, key)))
    throw wrong(
      settings.key,
      `the key in ${settings.key.path} is not that of the certificate in ${settings.cert.path}`,
    )
  return { ca, certificate: { cert, key } }
}

function readPem(setting: FileSetting): string | null {
  if (setting.path === undefined) return null
  try {
    return readFileSync(setting.path, 'utf8')
  } catch (error) {
    throw wrong(setting, `the file ${setting.path} cannot be read: ${(error as Error).message}`)
  }
}

function readCertificate(setting: FileSetting, pem: string): X509Certificate {
  try {
    return new X509Certificate(pem)
  } catch {
    throw wrong(setting, `the file ${setting.path} holds no certificate in PEM form`)
  }
}

function readKey(setting: FileSetting, pem: string): KeyObject {
  try {
    return createPrivateKey(pem)
  } catch {
    throw wrong(
      setting,
      `the file ${setting.path} holds no private key in PEM form, or one with a passphrase`,
    )
  }
}

function wrong({ name }: FileSetting, sentence: string): ConfigError {
  return new ConfigError([{ name, sentence }])
}
