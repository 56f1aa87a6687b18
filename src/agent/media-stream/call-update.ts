// Twilio's REST route by which an agent ends its call: POST /2010-04-01/Accounts/{sid}/Calls/{callSid}.json, Status=completed.
import { createHash, timingSafeEqual } from 'node:crypto'

export interface CallUpdate {
  accountSid: string
  callSid: string
  /** The `Authorization` header. */
  authorization: string | undefined
  /** The form's fields. */
  fields: Readonly<Record<string, string | undefined>>
}

/** A call that is held now, found by its `callSidOf`. */
export interface UpdatableCall {
  /** E.164. */
  from: string
  to: string
  /** Of the call's agent: the account's id, or `defaultAccountSid`. */
  accountSid: string
  /** Of the call's agent; null: this agent may not use the route. */
  authToken: string | null
}

export interface CallUpdateAnswer {
  status: number
  body: Readonly<Record<string, unknown>>
  /** The call is to be hung up, at once. */
  hangUp: boolean
}

const apiVersion = '2010-04-01'

/**
 * Decides on one request; who serves the route hangs up and sends the answer. Errors have Twilio's codes. `call` null:
 * none is held under that id, which is told to those whose `account:token` is known.
 */
export function answerCallUpdate(
  update: CallUpdate,
  call: UpdatableCall | null,
  isKnownKey: (key: string) => boolean = () => false,
): CallUpdateAnswer {
  // Who has no key learns nothing, not even which calls there are.
  const key = keyOf(update)
  const mayAsk = key !== null && (call === null ? isKnownKey(key) : mayUpdate(key, call))
  if (!mayAsk) return refuse(401, 20003, 'Authentication Error - invalid username or password')
  if (call === null || update.accountSid !== call.accountSid)
    return refuse(404, 20404, `The requested resource ${pathOf(update)} was not found`)
  const status = update.fields.Status
  if (status !== 'completed' && status !== 'canceled') {
    return refuse(
      400,
      20001,
      'Status must be completed or canceled: a call can be ended here; Twiml, Url and other fields are not supported',
    )
  }
  return { status: 200, body: callResource(update, call), hangUp: true }
}

/** `account:token` of Basic auth (RFC 7617); null: none was sent. */
function keyOf({ authorization }: CallUpdate): string | null {
  const sent = /^Basic ([A-Za-z0-9+/]+={0,2})$/i.exec(authorization ?? '')?.[1]
  return sent === undefined ? null : Buffer.from(sent, 'base64').toString('utf8')
}

/** Digests are compared, so length and content tell nothing. */
function mayUpdate(key: string, { accountSid, authToken }: UpdatableCall): boolean {
  const digest = (text: string) => createHash('sha256').update(text).digest()
  return authToken !== null && timingSafeEqual(digest(key), digest(`${accountSid}:${authToken}`))
}

function callResource({ accountSid, callSid }: CallUpdate, { from, to }: UpdatableCall) {
  return {
    sid: callSid,
    account_sid: accountSid,
    api_version: apiVersion,
    direction: 'outbound-api',
    from,
    to,
    status: 'completed',
    uri: pathOf({ accountSid, callSid }),
  }
}

function pathOf({ accountSid, callSid }: Pick<CallUpdate, 'accountSid' | 'callSid'>): string {
  return `/${apiVersion}/Accounts/${accountSid}/Calls/${callSid}.json`
}

function refuse(status: number, code: number, message: string): CallUpdateAnswer {
  return { status, body: { code, message, status }, hangUp: false }
}
