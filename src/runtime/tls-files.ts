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

/** Paths by the settings that hold them. */
interface TlsSettings {
  OUTDIAL_SIP_TLS_CA?: string | undefined
  OUTDIAL_SIP_TLS_CERT?: string | undefined
  OUTDIAL_SIP_TLS_KEY?: string | undefined
}

interface FileSetting {
  name: keyof TlsSettings
  path: string | undefined
}

/** @throws ConfigError naming the first setting that is wrong */
export function readTlsFiles(settings: TlsSettings): TlsFiles {
  const file = (name: keyof TlsSettings): FileSetting => ({ name, path: settings[name] })
  const [authority, ours, oursKey] = [
    file('OUTDIAL_SIP_TLS_CA'),
    file('OUTDIAL_SIP_TLS_CERT'),
    file('OUTDIAL_SIP_TLS_KEY'),
  ] as const
  const ca = readPem(authority)
  if (ca !== null) readCertificate(authority, ca)
  const [cert, key] = [readPem(ours), readPem(oursKey)]
  if (cert === null && key === null) return { ca, certificate: null }
  if (cert === null) throw wrong(ours, `must be set together with ${oursKey.name}`)
  if (key === null) throw wrong(oursKey, `must be set together with ${ours.name}`)
  if (!readCertificate(ours, cert).checkPrivateKey(readKey(oursKey, key)))
    throw wrong(oursKey, `the key in ${oursKey.path} is not that of the certificate in ${ours.path}`)
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
