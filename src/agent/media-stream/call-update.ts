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

/** Decides on one request; who serves the route hangs up and sends the answer. Errors have Twilio's codes. */
export function answerCallUpdate(update: CallUpdate, call: UpdatableCall | null): CallUpdateAnswer {
  // Who has no key learns nothing, not even which calls there are.
  const expected = call?.authToken ?? null
  if (expected === null || !mayUpdate(update, call!.accountSid, expected)) {
    return refuse(401, 20003, 'Authentication Error - invalid username or password')
  }
  if (update.accountSid !== call!.accountSid)
    return refuse(404, 20404, 'The requested resource was not found')
  const status = update.fields.Status
  if (status !== 'completed' && status !== 'canceled') {
    return refuse(400, 20001, 'Status must be completed or canceled; calls cannot be changed in other ways')
  }
  return { status: 200, body: callResource(update, call!), hangUp: true }
}

/** Basic auth with the account's id and token (RFC 7617). Digests are compared, so length and content tell nothing. */
function mayUpdate({ authorization }: CallUpdate, accountSid: string, authToken: string): boolean {
  const sent = /^Basic ([A-Za-z0-9+/]+={0,2})$/i.exec(authorization ?? '')?.[1]
  if (sent === undefined) return false
  const digest = (text: string) => createHash('sha256').update(text).digest()
  return timingSafeEqual(
    digest(Buffer.from(sent, 'base64').toString('utf8')),
    digest(`${accountSid}:${authToken}`),
  )
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
    uri: `/${apiVersion}/Accounts/${accountSid}/Calls/${callSid}.json`,
  }
}

function refuse(status: number, code: number, message: string): CallUpdateAnswer {
  return { status, body: { code, message, status }, hangUp: false }
}
